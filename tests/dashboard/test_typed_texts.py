"""Whatever ends a request, what a person typed comes back: after a login, beside the reason, ready to be sent again."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest
from desk import EVIL, NOW, ORIGIN, Desk
from html_pages import Page
from starlette.testclient import TestClient

from bonsai import bootstrap
from bonsai.auth import accounts
from bonsai.queries.promotions import list_promotions
from bonsai.queries.records import inbox_status, list_records, page_of_rejects
from storage.tables.records_table import RecordFilter

PASSWORD = "dust in the litter"
TOLD = {"instruction": f"Where is Mimi?\r\n{EVIL}", "output": "Under the bed.", "subject": "Mimi", "told": ""}


@pytest.fixture
def desk(home_with_records: Path, tmp_path: Path) -> Desk:
    """Where nobody waits long for the database; with a user of each role that matters."""
    home = Path(shutil.copytree(home_with_records, tmp_path / "home"))
    with (home / "bonsai.toml").open("a", encoding="utf-8") as file:
        file.write("\n[dashboard]\nlock_wait_seconds = 0.05\n")
    made = Desk(bootstrap.open(home, {}))
    for name in ("mika", "joe"):
        accounts.add_user(made.b, name, "reviewer", PASSWORD, NOW)
    return made


def sent_by(page: Page) -> dict[str, str]:
    """What a browser sends from the page's form."""
    hidden = {one.attributes["name"]: one.attributes.get("value", "") for one in page.all("input")}
    # a browser takes the line break away that follows the tag
    return hidden | {one.attributes["name"]: one.text.removeprefix("\n") for one in page.all("textarea")}


def told(desk: Desk, subject: str) -> list[str]:
    return [one.record.output for one in list_records(desk.b, RecordFilter(subject=subject), None)]


def lf(fields: dict[str, str]) -> dict[str, str]:
    return {name: value.replace("\r\n", "\n") for name, value in fields.items()}


def test_a_session_that_ended_costs_a_login_and_no_text(desk: Desk) -> None:
    client = desk.client(owner="")
    ended = client.post("/records?lang=en", data=TOLD)
    page = Page(ended.text)
    assert (ended.status_code, page.problems) == (401, [])
    assert "saved" in page.all("main")[0].text
    assert page.values("hreflang") == []  # a link to the other language would lose it
    login = sent_by(page)
    wrong = client.post("/login", data={**login, "name": "mika", "password": "a wrong one entirely"})
    assert wrong.status_code == 401
    back = client.post("/login", data={**sent_by(Page(wrong.text)), "name": "mika", "password": PASSWORD})
    page = Page(back.text)
    assert (back.status_code, page.problems) == (200, [])
    assert PASSWORD not in back.text
    form = page.all("form")[0].attributes
    assert form["action"] == "/records?lang=en"
    assert lf(sent_by(page)) == lf(TOLD)
    assert client.post(form["action"], data=sent_by(page), follow_redirects=False).status_code == 303
    desk.drain()
    assert told(desk, "Mimi") == ["Under the bed."]


def test_an_edit_a_repaired_line_and_a_reason_survive_the_login_too(desk: Desk) -> None:
    client = desk.client(owner="")
    adapter, record = (
        list_promotions(desk.b)[0].adapter,
        list_records(desk.b, RecordFilter(), 1)[0].record.id,
    )
    reject = page_of_rejects(desk.b, 1)[0].id
    for path, fields in {
        f"/records/{record}/edit": {"seen": "x", "output": EVIL},
        f"/rejects/{reject}/repair": {"raw": '{"question": "a"}'},
        f"/rejects/{reject}/dismiss": {"why": "It is an advertisement."},
        f"/promotions/{adapter}/reject": {"reason": "The answers about food are wrong."},
        "/ask": {"question": "Can cats eat grapes?", "voice": "champion", "context": "Mimi did."},
    }.items():
        login = sent_by(Page(client.post(path, data=fields).text))
        page = Page(client.post("/login", data={**login, "name": "joe", "password": PASSWORD}).text)
        assert (page.all("form")[0].attributes["action"], sent_by(page)) == (path, fields)
        client.cookies.clear()


def test_a_login_hands_nothing_on_that_a_foreign_page_sent(desk: Desk) -> None:
    for owner in ("", "mika"):
        answer = desk.client(owner).post("/records", data=TOLD, headers={"Origin": "http://evil.example"})
        assert (answer.status_code, "Under the bed" in answer.text) == (403, False)


@pytest.mark.parametrize("after", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_what_is_sent_again_stays_here(desk: Desk, after: str) -> None:
    given = {"name": "mika", "password": PASSWORD, "next": after, "again": "1", "sent.output": "b"}
    page = Page(desk.client(owner="").post("/login", data=given).text)
    assert page.all("form")[0].attributes["action"] == "/"


def test_a_login_leads_to_the_whole_address(desk: Desk) -> None:
    client = desk.client(owner="")
    page = Page(client.get("/records/new?subject=Mimi&told=x").text)
    login = sent_by(page)
    assert login["next"] == "/records/new?subject=Mimi&told=x"
    answer = client.post("/login", data={**login, "name": "mika", "password": PASSWORD}, follow_redirects=False)
    assert answer.headers["location"] == "/records/new?subject=Mimi&told=x"


def test_a_database_that_is_busy_is_told_kindly_and_costs_no_text(desk: Desk, client: TestClient) -> None:
    adapter, record = (
        list_promotions(desk.b)[0].adapter,
        list_records(desk.b, RecordFilter(), 1)[0].record.id,
    )
    reject = page_of_rejects(desk.b, 1)[0].id
    for path, fields in {
        f"/records/{record}/edit": {"seen": "x", "output": "Under the sofa."},
        f"/rejects/{reject}/repair": {"raw": "a;b"},
        f"/promotions/{adapter}/approve": {"reason": "Fine."},
        "/pairs": {"record": record, "keep": "this", "seen": "", "kind": "near"},
    }.items():
        with desk.b.database.writing():
            answer = client.post(path, data=fields)
        page = Page(answer.text)
        assert (answer.status_code, answer.headers["retry-after"], page.problems) == (503, "5", []), path
        assert (page.all("form")[0].attributes["action"], sent_by(page)) == (path, fields)
        assert str(desk.b.database.path) not in answer.text


def test_a_page_that_waited_in_vain_leads_to_itself(desk: Desk, client: TestClient) -> None:
    with desk.b.database.writing():
        answer = client.get("/records?text=Mimi&lang=ja")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "/records?text=Mimi&lang=ja" in Page(answer.text).links


def test_no_empty_file_is_saved_while_the_database_is_busy(desk: Desk, client: TestClient) -> None:
    with desk.b.database.writing():
        assert client.get("/records/export").status_code == 503


def test_a_record_is_told_and_said_to_be_kept_while_the_database_is_busy(desk: Desk) -> None:
    client = desk.client("mika", drain=lambda: None)
    with desk.b.database.writing():
        answer = client.post("/records", data=TOLD)
    assert answer.status_code == 200
    assert "received" in Page(answer.text).all("main")[0].text
    assert inbox_status(desk.b).pending == 1


def test_a_login_while_the_database_is_busy_keeps_what_it_hands_on(desk: Desk) -> None:
    client = desk.client(owner="")
    client.cookies.set("bonsai_session", "over")
    login = sent_by(Page(client.post("/records", data=TOLD).text))
    with desk.b.database.writing():
        answer = client.post("/login", data={**login, "name": "mika", "password": PASSWORD})
    assert (answer.status_code, answer.headers["retry-after"], PASSWORD in answer.text) == (503, "5", False)
    back = client.post("/login", data={**sent_by(Page(answer.text)), "name": "mika", "password": PASSWORD})
    assert lf(sent_by(Page(back.text))) == lf(TOLD)


@pytest.mark.parametrize(("problem", "status"), [(errno.ENOSPC, 507), (errno.EFBIG, 507), (errno.EIO, 500)])
def test_a_full_disk_and_a_mistake_of_ours_cost_no_text(desk: Desk, problem: int, status: int) -> None:
    def full() -> None:
        raise OSError(problem, "of the disk")

    answer = desk.client(drain=full).post("/records", data=TOLD)
    page = Page(answer.text)
    assert (answer.status_code, page.problems) == (status, [])
    assert lf(sent_by(page)) == lf(TOLD)


def test_an_edit_on_a_full_disk_comes_back_without_a_path(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    record = list_records(desk.b, RecordFilter(), 1)[0].record.id
    with desk.b.database.writing() as con:
        con.execute("ALTER TABLE record_versions RENAME TO elsewhere")  # any write that fails
    monkeypatch.setattr("storage.connect.MIN_FREE_BYTES", 1 << 60)
    answer = desk.client().post(f"/records/{record}/edit", data={"output": "Under the sofa."})
    assert (answer.status_code, str(desk.b.home) in answer.text) == (507, False)
    assert sent_by(Page(answer.text)) == {"output": "Under the sofa."}


def test_what_is_refused_for_good_can_still_be_copied(desk: Desk) -> None:
    client = desk.client(owner="")
    accounts.add_user(desk.b, "con", "contributor", PASSWORD, NOW)
    client.post("/login", data={"name": "con", "password": PASSWORD})
    record = list_records(desk.b, RecordFilter(), 1)[0].record.id
    answer = client.post(f"/records/{record}/edit", data={"output": "Under the sofa."})
    page = Page(answer.text)
    assert (answer.status_code, page.all("textarea")[0].text.strip()) == (403, "Under the sofa.")
    assert "readonly" in page.all("textarea")[0].attributes
    assert page.all("button") == []


def test_a_script_is_told_in_json(desk: Desk) -> None:
    answer = desk.client(owner="").post("/suggest", data=TOLD, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["status"]) == (401, 401)
    assert ORIGIN not in answer.text
