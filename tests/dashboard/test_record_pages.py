"""Records by hand: told, found, read, forgotten."""

from __future__ import annotations

from desk import EVIL, NOW, Desk
from html_pages import Page
from starlette.testclient import TestClient

from bonsai.actions.inbox import submit
from bonsai.domain.records import Status
from bonsai.queries import overview
from bonsai.queries.records import count_records, inbox_status, list_records, list_rejects, show_record
from storage.tables.records_table import RecordFilter


def ids(page: Page) -> list[str]:
    found = [link.removeprefix("/records/") for link in page.links if link.startswith("/records/")]
    return [one for one in found if len(one) == 64]


def test_a_record_is_told_and_the_next_one_begins_with_its_subject(desk: Desk) -> None:
    client = desk.client("mika")
    fields = {
        "instruction": "Where does Tama sleep?",
        "output": "In the sink.",
        "subject": "Tama",
        "happened_on": "2026-11-20",
    }
    answer = client.post("/records", data={**fields, "feeling": "amused", "language": "", "category": "creative"})
    assert answer.status_code == 200
    given = {one.attributes["name"]: one.attributes.get("value") for one in Page(answer.text).all("input")}
    assert (given["subject"], given["happened_on"], given["feeling"]) == ("Tama", "", ""), "a day is of one event"
    [stored] = list_records(desk.b, RecordFilter(subject="Tama"), None)
    assert (stored.record.author, stored.record.source, stored.record.feeling) == ("mika", "self", "amused")
    assert (stored.tags.category.value, stored.tags.category.source) == ("creative", "person")
    assert (stored.tags.language.value, stored.tags.language.source) == ("en", "rule")


def test_telling_needs_no_database(desk: Desk) -> None:
    client = desk.client(drain=lambda: None)
    with desk.b.database.writing():  # another process is in the middle of a long write
        answer = client.post("/records", data={"instruction": "a?", "output": "b"}, follow_redirects=False)
    assert answer.status_code == 303
    assert inbox_status(desk.b).pending == 1


def test_what_can_be_no_record_is_said_at_once_and_nothing_typed_is_lost(client: TestClient, desk: Desk) -> None:
    answer = client.post("/records", data={"instruction": EVIL, "output": " ", "happened_on": "2026-02-30"})
    page = Page(answer.text)
    assert (answer.status_code, page.problems) == (422, [])
    assert page.all("textarea")[0].text == EVIL
    assert inbox_status(desk.b).pending == 0


def test_pages_of_records_show_each_once_while_others_arrive(desk: Desk) -> None:
    for number in range(60):
        submit(desk.b, {"instruction": f"What is {number}?", "output": f"It is {number}."}, NOW)
    desk.drain()
    client = desk.client()
    first = Page(client.get("/records").text)
    submit(desk.b, {"instruction": "Who came in between?", "output": "I did."}, NOW)
    desk.drain()
    found, page = ids(first), first
    while following := [one for one in page.all("a") if one.attributes.get("rel") == "next"]:
        page = Page(client.get(following[0].attributes["href"]).text)
        found += ids(page)
    stored = list_records(desk.b, RecordFilter(), None)
    assert found == [one.record.id for one in stored[::-1]][1:]


def test_records_are_found_by_word_language_and_subject(client: TestClient) -> None:
    assert len(ids(Page(client.get("/records?text=タマ").text))) == 1
    assert len(ids(Page(client.get("/records?language=ja&category=open_qa").text))) == 1
    assert len(ids(Page(client.get("/records?subject=タマ&language=en").text))) == 0
    assert ids(Page(client.get("/records?status=%27%20OR%201=1").text)) == []


def test_forgetting_wants_to_be_meant_and_takes_the_text(client: TestClient, desk: Desk) -> None:
    [one] = list_records(desk.b, RecordFilter(subject="タマ"), None)
    path = f"/records/{one.record.id}"
    assert client.post(f"{path}/forget", data={"reason": ""}).status_code == 422
    assert "おなか" in client.get(path).text
    client.post(f"{path}/forget", data={"sure": "yes"})
    assert "おなか" not in client.get(path).text
    assert show_record(desk.b, one.record.id).stored.status is Status.FORGOTTEN
    assert "formaction" not in client.get(path).text


def test_the_drain_erases_what_was_forgotten_on_a_page_from_the_files(desk: Desk) -> None:
    [one] = list_records(desk.b, RecordFilter(subject="タマ"), None)
    database = desk.b.database.path
    wanted: list[bool] = []
    client = desk.client("mika", drain=lambda: wanted.append(True))
    assert client.post(f"/records/{one.record.id}/forget", data={"sure": "yes"}, follow_redirects=False).is_redirect
    assert wanted == [True]
    left = one.record.output.encode()
    assert left in database.read_bytes(), "the page writes the file anew itself, which takes memory and seconds"
    desk.drain()
    assert left not in database.read_bytes()


def test_training_is_a_persons_choice(client: TestClient, desk: Desk) -> None:
    one = list_records(desk.b, RecordFilter(subject="タマ"), None)[0].record.id
    client.post(f"/records/{one}/exclude", data={"reason": ""})
    assert show_record(desk.b, one).stored.status is Status.EXCLUDED
    client.post(f"/records/{one}/release", data={"reason": ""})
    assert show_record(desk.b, one).stored.status is Status.ACTIVE
    assert client.post(f"/records/{one}/explode", data={"reason": ""}).status_code == 404


def test_what_the_first_page_counts_is_what_its_links_list(desk: Desk) -> None:
    submit(desk.b, {"instruction": "なぜタマは鳴くの?", "output": "さびしいからです。"}, NOW)
    desk.drain()
    waiting = overview.overview(desk.b).waiting
    assert waiting.contradictions >= 1
    held_back = RecordFilter(status="held_back")
    for count, wanted in (
        (waiting.held_back, held_back),
        (waiting.contradictions, RecordFilter(status="held_back", reason=overview.CONTRADICTION)),
        (waiting.suspects, RecordFilter(status="suspect")),
        (waiting.uncertain, RecordFilter(uncertain=True)),
    ):
        assert count == count_records(desk.b, wanted)
    assert waiting.rejects == len(list_rejects(desk.b, None)) == 1
