"""Rejected lines on the dashboard: repaired and told again, still wrong, dismissed; and a power cut in between."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from desk import EVIL, NOW, Desk
from html_pages import Page

from bonsai.actions.import_file import import_file
from bonsai.actions.rejects import dismiss_reject, repair_reject
from bonsai.auth import accounts
from bonsai.domain.records import Reject, Source
from bonsai.errors import LockTimeout
from bonsai.queries.records import inbox_status, list_records, list_rejects
from storage.tables import rejects_table
from storage.tables.records_table import RecordFilter


@pytest.fixture
def lines(desk: Desk, tmp_path: Path) -> list[str]:
    """Ids of three rejected rows of a table, after the one that the home has already."""
    path = tmp_path / "cats.csv"
    path.write_text('question,answer\nWho sits there?,\n"Who"sleeps?,Tama.\nToo,many,cells\nFine?,Yes.\n', "utf-8")
    import_file(desk.b, path, now=NOW)
    return [one.id for one in list_rejects(desk.b, None) if one.reject.file == "cats.csv"]


def test_a_rejected_line_is_listed_as_it_was(desk: Desk) -> None:
    page = Page(desk.client().get("/rejects").text)
    assert any(EVIL[:20] in one.text for one in page.all("td"))


def test_a_repaired_row_becomes_a_record_from_where_it_stood(desk: Desk, lines: list[str]) -> None:
    client = desk.client("mika")
    page = Page(client.get(f"/rejects/{lines[0]}").text)
    assert (page.problems, page.all("textarea")[0].text) == ([], "Who sits there?,")
    assert "question · answer" in page.source
    answer = client.post(f"/rejects/{lines[0]}/repair", data={"raw": "Who sits there?,Mike does."})
    assert str(answer.url).endswith(f"/rejects/{lines[1]}?done=repair")  # the next one is ready
    [stored] = list_records(desk.b, RecordFilter(text="Who sits there?"), None)
    assert (stored.record.origin.name, stored.record.origin.line, stored.record.source) == ("cats.csv", 2, "import")
    with desk.b.database.reading() as con:
        told = rejects_table.get(con, lines[0])
    assert (told.state, told.settled_by) == ("mended", "mika")
    assert client.post(f"/rejects/{lines[0]}/repair", data={"raw": "Who?,Me."}).status_code == 422


@pytest.mark.parametrize(("source", "name", "author"), [("community", "Neko no kai", ""), ("self", "", "mika")])
def test_a_repaired_line_is_whose_its_file_was(
    desk: Desk, tmp_path: Path, source: Source, name: str, author: str
) -> None:
    path = tmp_path / "club.csv"
    path.write_text("question,answer\nWho sits there?,\n", "utf-8")
    import_file(desk.b, path, now=NOW, source=source, source_name=name, author=author)
    [line] = [one.id for one in list_rejects(desk.b, None) if one.reject.file == "club.csv"]
    desk.client("joe").post(f"/rejects/{line}/repair", data={"raw": "Who sits there?,Mike does."})
    [stored] = list_records(desk.b, RecordFilter(text="Who sits there?"), None)
    assert (stored.record.source, stored.record.source_name, stored.record.author) == (source, name, author)


def test_what_is_still_wrong_is_said_and_the_text_is_kept(desk: Desk, lines: list[str]) -> None:
    typed = f"{EVIL},a,b,c"
    answer = desk.client().post(f"/rejects/{lines[2]}/repair", data={"raw": typed})
    page = Page(answer.text)
    assert (answer.status_code, page.problems, page.all("textarea")[0].text) == (422, [], typed)
    assert any("cells" in one.text for one in page.all("p") if one.attributes.get("role") == "alert")
    assert inbox_status(desk.b).pending == 0
    assert lines[2] in [one.id for one in list_rejects(desk.b, None)]


def test_a_dismissal_says_why_and_is_a_reviewers(desk: Desk, lines: list[str]) -> None:
    accounts.add_user(desk.b, "kid", "contributor", "a long enough password", NOW)
    kid = desk.client("")
    kid.post("/login", data={"name": "kid", "password": "a long enough password"})
    assert kid.post(f"/rejects/{lines[1]}/dismiss", data={"why": "x"}).status_code == 403
    assert "/dismiss" not in kid.get(f"/rejects/{lines[1]}").text
    client = desk.client("mika")
    refused = client.post(f"/rejects/{lines[1]}/dismiss", data={"why": "  "})
    assert (refused.status_code, Page(refused.text).problems) == (422, [])
    client.post(f"/rejects/{lines[1]}/dismiss", data={"why": "A test."})
    with desk.b.database.reading() as con:
        told = rejects_table.get(con, lines[1])
    assert (told.state, told.settled_by, told.settled_why) == ("dismissed", "mika", "A test.")


def test_pages_of_rejects_show_each_once_while_some_are_settled(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_text("".join(f'{{"question": "{number}?"}}\n' for number in range(60)), "utf-8")
    import_file(desk.b, path, now=NOW)
    wanted = [one.id for one in list_rejects(desk.b, None)]
    client = desk.client()
    found: list[str] = []
    page = Page(client.get("/rejects").text)
    while True:
        shown = [link.removeprefix("/rejects/") for link in page.links if len(link) == len("/rejects/") + 64]
        found += shown
        dismiss_reject(desk.b, shown[-1], "mika", "seen", NOW)
        following = [one for one in page.all("a") if one.attributes.get("rel") == "next"]
        if not following:
            break
        page = Page(client.get(following[0].attributes["href"]).text)
    assert found == wanted


def test_stopped_between_telling_and_closing_it_is_repaired_again_and_told_once(desk: Desk, lines: list[str]) -> None:
    hasty = replace(desk.b, places=replace(desk.b.places, database=replace(desk.b.database, lock_wait_seconds=0.01)))
    with desk.b.database.reading(), pytest.raises(LockTimeout):  # the submission is on the disk, the reject still open
        repair_reject(hasty, lines[0], "Who sits there?,Mike does.", "mika", NOW)
    assert inbox_status(desk.b).pending == 1
    again = repair_reject(desk.b, lines[0], "Who sits there?,Mike does.", "mika", NOW)
    assert not isinstance(again, Reject)
    desk.drain()
    assert len(list_records(desk.b, RecordFilter(text="Who sits there?"), None)) == 1


def test_a_line_of_which_only_the_beginning_was_kept_is_not_repaired_here(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_text('{"question": "' + "long " * 4_000 + '"}\n', "utf-8")
    import_file(desk.b, path, now=NOW)
    [one] = [stored for stored in list_rejects(desk.b, None) if stored.reject.file == "long.jsonl"]
    client = desk.client()
    page = Page(client.get(f"/rejects/{one.id}").text)
    assert (page.problems, page.all("textarea")) == ([], [])
    assert client.post(f"/rejects/{one.id}/repair", data={"raw": "{}"}).status_code == 409
