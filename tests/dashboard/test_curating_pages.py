"""Caring for records: pairs decided, tags by button and key, a timeline, the list and what is done to many."""

from __future__ import annotations

import json

import pytest
from desk import NOW, Desk
from html_pages import Page
from starlette.testclient import TestClient

from bonsai.actions.edit import edit_record
from bonsai.actions.inbox import submit
from bonsai.auth import accounts
from bonsai.domain.records import Status
from bonsai.queries import timeline
from bonsai.queries.records import list_records, show_record, waiting_pairs
from storage import audit
from storage.tables import subjects
from storage.tables.record_rows import StoredRecord
from storage.tables.records_table import RecordFilter


def tell(desk: Desk, question: str, answer: str, **fields: str) -> StoredRecord:
    submit(desk.b, {"instruction": question, "output": answer, "source": "self", **fields}, NOW)
    desk.drain()
    return list_records(desk.b, RecordFilter(), 1)[0]


def status(desk: Desk, one: StoredRecord) -> Status:
    return show_record(desk.b, one.record.id).stored.status


def hidden(page: Page) -> dict[str, str]:
    return {
        one.attributes["name"]: one.attributes.get("value", "")
        for one in page.all("input")
        if one.attributes.get("type") == "hidden" or "checked" in one.attributes
    }


@pytest.mark.parametrize(
    ("keep", "this", "other"),
    [
        ("this", Status.ACTIVE, Status.EXCLUDED),
        ("other", Status.EXCLUDED, Status.ACTIVE),
        ("both", Status.ACTIVE, Status.ACTIVE),
    ],
)
def test_a_contradiction_is_decided_with_one_click(desk: Desk, keep: str, this: Status, other: Status) -> None:
    first = tell(desk, "Where does Tama sleep?", "In the sink.")
    second = tell(desk, "Where does Tama sleep?", "On the piano.")
    assert (status(desk, first), status(desk, second)) == (Status.ACTIVE, Status.HELD_BACK)
    client = desk.client("mika")
    page = Page(client.get("/pairs?kind=contradiction").text)
    given = hidden(page)
    assert (page.problems, given["record"], given["seen"]) == ([], second.record.id, first.record.id)
    assert [one.text for one in page.all("mark")][:2] == ["On", "piano"]
    assert client.post("/pairs", data={**given, "keep": keep}).status_code == 200
    assert (status(desk, second), status(desk, first)) == (this, other)
    assert client.post("/pairs", data={**given, "keep": keep}).status_code == 409
    assert waiting_pairs(desk.b, "contradiction", 9) == []


def test_a_decision_on_a_text_that_changed_since_is_refused(desk: Desk, client: TestClient) -> None:
    first = tell(desk, "Where does Tama sleep?", "In the sink.")
    second = tell(desk, "Where does Tama sleep?", "On the piano.")
    given = hidden(Page(client.get("/pairs?kind=contradiction").text))
    newer = edit_record(desk.b, first.record.id, {"output": "In the sink, mostly."}, "joe", NOW)
    assert client.post("/pairs", data={**given, "keep": "this"}).status_code == 409
    assert status(desk, second) is Status.HELD_BACK
    again = hidden(Page(client.get("/pairs?kind=contradiction").text))
    assert again["seen"] == newer  # followed to what it is now
    assert client.post("/pairs", data={**again, "keep": "none"}).status_code == 422
    assert client.post("/pairs", data={**again, "keep": "other"}).status_code == 200


def test_a_decision_is_taken_back_from_the_notice_and_from_the_list(desk: Desk) -> None:
    first = tell(desk, "Where does Tama sleep?", "In the sink.")
    second = tell(desk, "Where does Tama sleep?", "On the piano.")
    client = desk.client("mika")
    given = hidden(Page(client.get("/pairs?kind=contradiction").text))
    notice = client.post("/pairs", data={**given, "keep": "this"})
    assert (status(desk, second), status(desk, first)) == (Status.ACTIVE, Status.EXCLUDED)
    assert 'action="/pairs/reopen"' in notice.text
    decided = Page(client.get("/pairs/decided").text)
    assert (decided.problems, hidden(decided)) == ([], {"record": second.record.id})
    assert client.post("/pairs/reopen", data=hidden(decided)).status_code == 200
    assert (status(desk, second), status(desk, first)) == (Status.HELD_BACK, Status.ACTIVE)
    [waiting] = waiting_pairs(desk.b, "contradiction", 9)
    assert waiting.others[0].record.id == first.record.id
    after = client.get("/pairs/decided").text
    assert "undone by mika" in after
    assert 'action="/pairs/reopen"' not in after
    assert client.post("/pairs/reopen", data=hidden(decided)).status_code == 409
    acts = [(act.who, act.action, act.target) for act in audit.read(desk.b.places.logs)]
    assert acts[-1] == ("mika", "reopen", second.record.id)


def test_only_a_reviewer_takes_back(desk: Desk) -> None:
    accounts.add_user(desk.b, "kid", "contributor", "a long enough password", NOW)
    client = desk.client(owner="")
    client.post("/login", data={"name": "kid", "password": "a long enough password"})
    assert client.get("/pairs/decided").status_code == 200
    assert client.post("/pairs/reopen", data={"record": "0" * 64}).status_code == 403


def test_near_duplicates_leave_the_list_once_decided_and_pages_show_each_once(desk: Desk, client: TestClient) -> None:
    first = tell(desk, "What does the cat named Tama eat in the morning?", "Tuna from the can.")
    for number in range(12):
        tell(
            desk,
            f"What does the cat named Tama eat in the morning{'?' * (number + 2)} {'!' * number}",
            f"Tuna from the can{'!' * number}..",
        )
    waiting = waiting_pairs(desk.b, "near", 99)
    assert len(waiting) == 12
    assert first.record.id in {other.record.id for one in waiting for other in one.others}
    page = Page(client.get("/pairs?kind=near").text)
    [following] = [one.attributes["href"] for one in page.all("a") if one.attributes.get("rel") == "next"]
    shown = [one.attributes["value"] for one in page.all("input") if one.attributes["name"] == "record"]
    shown += [
        one.attributes["value"]
        for one in Page(client.get(following).text).all("input")
        if one.attributes["name"] == "record"
    ]
    assert shown == [one.stored.record.id for one in waiting]
    client.post("/pairs", data={**hidden(page), "keep": "both"})
    left = waiting_pairs(desk.b, "near", 99)
    assert len(left) == 11
    assert {status(desk, one.stored) for one in waiting} == {Status.ACTIVE}


def uncertain(desk: Desk, count: int) -> list[str]:
    return [tell(desk, f"{number}1234", f"{number}5678").record.id for number in range(count)]


def test_tags_are_given_one_a_screen_and_taken_back(desk: Desk) -> None:
    oldest, middle, newest = uncertain(desk, 3)
    before = show_record(desk.b, newest).stored.tags
    client = desk.client("mika")
    page = Page(client.get("/tagging").text)
    given = hidden(page)
    assert (page.problems, given["record"]) == ([], newest)
    keys = [one.attributes["data-key"] for one in page.elements if "data-key" in one.attributes]
    assert keys == ["j", "e", "z", "o", *"1234567", "ArrowRight"]
    answer = client.post("/tagging", data={**given, "language": "ja", "category": "creative"})
    tags = show_record(desk.b, newest).stored.tags
    assert (tags.language.value, tags.category.value, tags.language.source) == ("ja", "creative", "person")
    assert tags.reasoning.value.endswith("answer in Japanese.")
    page = Page(answer.text)
    assert hidden(page)["record"] == middle
    assert [one.attributes["value"] for one in page.all("progress")] == ["1"]
    skip = next(one.attributes["href"] for one in page.all("a") if one.attributes.get("data-key") == "ArrowRight")
    third = Page(client.get(skip).text)
    assert hidden(third)["record"] == oldest
    back = next(one.attributes["href"] for one in third.all("a") if one.attributes.get("data-key") == "ArrowLeft")
    assert hidden(Page(client.get(back).text))["record"] == middle
    undone = client.post("/tagging/undo", data={"undo": hidden(page)["undo"], "tagged": "1"})
    assert hidden(Page(undone.text))["record"] == newest
    assert show_record(desk.b, newest).stored.tags == before
    assert client.post("/tagging/undo", data={"undo": hidden(page)["undo"]}).status_code == 409


def test_the_end_of_the_queue_says_what_was_skipped(desk: Desk, client: TestClient) -> None:
    [one] = uncertain(desk, 1)
    assert "1 were skipped" in client.get(f"/tagging?after={one}", headers={"Accept-Language": "en"}).text
    assert client.get("/tagging?after=ffff").status_code == 404
    assert client.post("/tagging", data={"record": one, "category": "nonsense"}).status_code == 422
    assert client.post("/tagging/undo", data={"undo": "x"}).status_code in (404, 409)


def test_a_timeline_says_when_the_same_thing_happened_before(desk: Desk, client: TestClient) -> None:
    told = [
        ("What happened to Hana?", "She sneezed for a week; the vet said it was the dust.", "2024-03-02"),
        ("Where does Hana sit in the evening?", "On the warm radiator by the window.", "2024-03-05"),
        ("What happened to Hana in spring?", "She sneezed for days again; the vet said dust.", "2026-03-12"),
        ("What does Hana eat?", "Tuna.", ""),
    ]
    for question, answer, day in told:
        tell(desk, question, answer, subject="Hana", happened_on=day, feeling="worried")
    page = Page(client.get("/subjects").text)
    path = next(one.attributes["href"] for one in page.all("a") if one.text == "Hana")
    page = Page(client.get(path).text)
    assert page.problems == []
    assert [one.text for one in page.all("h2")] == ["November 2026", "March 2026", "March 2024"]
    entries = timeline.timeline(desk.b, "Hana", 10).entries
    assert [[str(old.event.day) for old in one.earlier] for one in entries] == [[], ["2024-03-02"], [], []]
    assert "2 years earlier:" in page.source
    assert "2 年前にも" in client.get(path, headers={"Accept-Language": "ja"}).text
    assert client.get("/timeline?subject=nobody").status_code == 404


def test_a_long_past_is_looked_through_when_asked(
    desk: Desk, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subjects, "PART_RECORDS", 1)
    monkeypatch.setattr(timeline, "MAX_COMPARED_ON_REQUEST", 1)
    for day, often in (("2024-03-02", "a week"), ("2024-04-01", ""), ("2024-05-01", ""), ("2026-03-12", "days again")):
        said = f"She sneezed for {often}; the vet said dust." if often else f"Tuna on {day}, eagerly."
        tell(desk, f"What happened to Hana on {day}?", said, subject="Hana", happened_on=day)
    page, steps = Page(client.get("/timeline?subject=Hana").text), 0
    assert "2 years earlier:" not in page.source
    while given := {name: value for name, value in hidden(page).items() if name in ("subject", "after", "past")}:
        page, steps = Page(client.get("/timeline", params=given).text), steps + 1
        assert page.problems == []
    assert steps == 3
    assert "2 years earlier:" in page.source
    assert "All earlier records were searched." in page.source
    for nonsense in ("-1", "1e9", "9" * 30, "x"):
        assert client.get("/timeline", params={"subject": "Hana", "past": nonsense}).status_code == 200


def test_the_list_is_filtered_ordered_and_taken_along(desk: Desk, client: TestClient) -> None:
    for number in range(60):
        tell_later = {"subject": f"cat {number % 7}", "happened_on": f"2025-01-{number % 28 + 1:02}", "author": "joe"}
        submit(desk.b, {"instruction": f"What is {number}?", "output": f"It is {number}.", **tell_later}, NOW)
    desk.drain()
    path, found = "/records?sort=happened&author=joe&since=2025-01-02&until=2025-01-20", list[str]()
    while path:
        page = Page(client.get(path).text)
        found += [one.attributes["name"] for one in page.all("input") if len(one.attributes["name"]) == 64]
        path = next((one.attributes["href"] for one in page.all("a") if one.attributes.get("rel") == "next"), "")
    stored = {one.record.id: one.record for one in list_records(desk.b, RecordFilter(author="joe"), None)}
    days = [stored[one].happened_on for one in found]
    wanted = [one for one in stored.values() if "2025-01-02" <= str(one.happened_on) <= "2025-01-20"]
    assert days == sorted(days, reverse=True)
    assert len(found) == len(set(found)) == len(wanted)
    told = client.get("/records/export?subject=cat+3").text.splitlines()
    assert [json.loads(one)["subject"] for one in told] == ["cat 3"] * 9
    assert client.get("/records/export?text=cat").status_code == 422


def test_several_are_tagged_excluded_and_forgotten_together(desk: Desk, client: TestClient) -> None:
    ids = [tell(desk, f"Where is cat {number}?", f"In box {number}.").record.id for number in range(3)]
    chosen = dict.fromkeys(ids, "on") | {"here": "sort=happened&before=x&evil=1"}
    answer = client.post("/records/many", data={**chosen, "action": "tag", "category": "creative"})
    assert (answer.status_code, answer.url.query) == (200, b"done=many&sort=happened")
    assert {show_record(desk.b, one).stored.tags.category.value for one in ids} == {"creative"}
    client.post("/records/many", data={**chosen, "action": "exclude"})
    assert {show_record(desk.b, one).stored.status for one in ids} == {Status.EXCLUDED}
    assert client.post("/records/many", data={"action": "exclude"}).status_code == 422
    asked = client.post("/records/many", data={**chosen, "action": "forget"})
    assert (asked.status_code, ": 3." in asked.text) == (422, True)
    fields = {one.attributes["name"]: one.attributes for one in Page(asked.text).all("input")}
    assert "required" in fields["sure"]  # nothing else is to be chosen again
    client.post("/records/many", data={name: one["value"] for name, one in fields.items()})
    assert {show_record(desk.b, one).stored.status for one in ids} == {Status.FORGOTTEN}


def test_a_contributor_looks_and_decides_nothing(desk: Desk) -> None:
    from bonsai.auth import accounts

    accounts.add_user(desk.b, "kid", "contributor", "a long enough password", NOW)
    one = tell(desk, "Where does Tama sleep?", "In the sink.").record.id
    client = desk.client("")
    assert client.post("/login", data={"name": "kid", "password": "a long enough password"}).status_code == 200
    for path in ("/pairs", "/subjects", f"/records/{one}/versions", "/records"):
        page = client.get(path)
        assert page.status_code == 200
        assert "<button name=" not in page.text
    for path in ("/tagging", f"/records/{one}/edit"):
        assert client.get(path).status_code == 403
    for path in (
        "/pairs",
        "/tagging",
        "/tagging/undo",
        "/records/many",
        f"/records/{one}/edit",
        f"/records/{one}/restore",
    ):
        assert client.post(path, data={"x": "y"}).status_code == 403, path
    accounts.change_role(desk.b, "kid", "reviewer", NOW)
    assert client.get("/tagging").status_code == 200  # in the same session
