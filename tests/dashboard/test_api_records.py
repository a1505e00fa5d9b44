"""What the pages do to records, a program does: edit, tag, decide, forget; and follow what became of what it told."""

from __future__ import annotations

import pytest
from desk import NOW, Desk
from starlette.testclient import TestClient

from bonsai.actions.inbox import submit
from bonsai.domain.records import Status
from bonsai.queries.records import list_records, show_record, waiting_pairs
from bonsai.queries.timeline import list_subjects
from storage import audit
from storage.tables.records_table import RecordFilter

V1 = "/api/v1"


def tell(desk: Desk, question: str, answer: str, **fields: str) -> str:
    submit(desk.b, {"instruction": question, "output": answer, "source": "self", **fields}, NOW)
    desk.drain()
    return list_records(desk.b, RecordFilter(), 1)[0].record.id


def status(desk: Desk, record: str) -> Status:
    return show_record(desk.b, record).stored.status


@pytest.fixture
def program(desk: Desk) -> TestClient:
    return desk.program("review", "append")


def acts(desk: Desk) -> list[tuple[str, str, str]]:
    return [(act.who, act.action, act.target) for act in audit.read(desk.b.places.logs)]


def test_a_record_is_edited_as_it_was_seen_and_brought_back(desk: Desk, program: TestClient) -> None:
    record = tell(desk, "Where does Tama sleep?", "In the sink.", subject="Tama")
    seen = program.get(f"{V1}/records/{record}").headers["etag"]
    path, said = f"{V1}/records/{record}", {"output": "On the piano.", "happened_on": "2026-11-20"}
    made = program.patch(path, json=said, headers={"If-Match": seen})
    newer = made.json()["record"]
    assert (made.status_code, newer != record, made.json()["status"]) == (200, True, "active")
    told = program.get(f"{V1}/records/{newer}")
    assert (told.json()["output"], told.json()["subject"], told.json()["happened_on"]) == (
        "On the piano.",
        "Tama",
        "2026-11-20",
    )
    assert told.headers["etag"] == made.headers["etag"] != seen
    [version] = told.json()["versions"]
    assert (version["number"], version["output"], version["edited_by"]) == (1, "In the sink.", "mika")
    assert program.patch(path, json=said, headers={"If-Match": seen}).json()["code"] == "curating.edited_meanwhile"
    assert program.patch(path, json=said, headers={"If-Match": seen}).status_code == 412
    assert program.patch(path, json=said).status_code == 409  # replaced by now
    back = program.post(f"{V1}/records/{newer}/restore", json={"number": 1})
    assert (back.status_code, back.json()["record"]) == (200, record)
    assert program.post(f"{V1}/records/{record}/restore", json={"number": 9}).status_code == 404
    cleared = program.patch(f"{V1}/records/{record}", json={"happened_on": ""}).json()["record"]
    assert program.get(f"{V1}/records/{cleared}").json()["happened_on"] is None
    other = tell(desk, "Where does Mike sleep?", "On the sofa.")
    repeats = {"instruction": "Where does Mike sleep?", "output": "On the sofa."}
    assert program.patch(f"{V1}/records/{record}", json=repeats).json()["code"] == "pipeline.edit_repeats"
    assert status(desk, other) is Status.ACTIVE
    assert acts(desk)[:2] == [("mika", "edit", newer), ("mika", "restore", record)]


def test_an_edit_says_nothing_it_must_not(desk: Desk, program: TestClient) -> None:
    record = tell(desk, "Where does Tama sleep?", "In the sink.")
    for said in ({"output": " "}, {"outptu": "x"}, {"author": "rev"}, {"happened_on": "yesterday"}, {"category": "x"}):
        assert program.patch(f"{V1}/records/{record}", json=said).status_code == 422, said
    assert program.patch(f"{V1}/records/{record}", json={}).json()["record"] == record
    assert show_record(desk.b, record).versions == ()


def test_numbers_days_and_empty_texts_are_what_the_document_says(desk: Desk, program: TestClient) -> None:
    record = tell(desk, "Where does Tama sleep?", "In the sink.")
    path = f"{V1}/records/{record}"
    assert program.patch(path, json={"output": ""}, headers={"If-Match": "0"}).status_code == 422
    assert program.post(f"{path}/restore", json={"number": 2.0}).status_code == 404
    for number in ("2", True, 0, 1.5):
        assert program.post(f"{path}/restore", json={"number": number}).status_code == 422, number
    assert [program.get(f"{V1}/records?until={day}").status_code for day in ("0", "2026-02-30", "2026-11-21")] == [
        422,
        422,
        200,
    ]
    assert program.patch(f"{V1}/records/batch", json={}).status_code == 405


def test_a_record_is_kept_from_training_released_and_forgotten(desk: Desk, program: TestClient) -> None:
    record = tell(desk, "Where does Tama sleep?", "In the sink.")
    path = f"{V1}/records/{record}"
    for action, stands in (("exclude", "excluded"), ("release", "active")):
        assert program.post(f"{path}/status", json={"action": action}).json() == {"record": record, "status": stands}
    forgotten = program.post(f"{path}/forget")
    assert (forgotten.status_code, forgotten.json()["records"]) == (200, [record])
    assert program.get(path).json()["output"] == ""
    assert program.post(f"{path}/forget").status_code == 200
    assert program.post(f"{path}/status", json={"action": "release"}).status_code == 409
    assert program.patch(path, json={"output": "x"}).status_code == 409
    assert b"In the sink" not in desk.b.database.path.read_bytes()


def test_uncertain_tags_are_settled_one_by_one_and_taken_back(desk: Desk, program: TestClient) -> None:
    older, newer = (tell(desk, f"{number}1234", f"{number}5678") for number in range(2))
    before = show_record(desk.b, newer).stored.tags
    turn = program.get(f"{V1}/tagging").json()
    assert (turn["record"]["id"], turn["left"]) == (newer, 2)
    assert program.get(f"{V1}/tagging", params={"after": newer}).json()["record"]["id"] == older
    assert {one["id"] for one in program.get(f"{V1}/records?uncertain=true").json()["items"]} == {older, newer}
    made = program.post(f"{V1}/records/{newer}/tags", json={"language": "en", "category": "creative"}).json()
    assert program.get(f"{V1}/records/{newer}").json()["category"]["source"] == "person"
    assert program.get(f"{V1}/tagging").json()["left"] == 1
    undone = program.post(f"{V1}/records/{newer}/tags/undo", json={"version": made["version"]})
    assert (undone.status_code, show_record(desk.b, newer).stored.tags) == (200, before)
    assert (
        program.post(f"{V1}/records/{newer}/tags/undo", json={"version": made["version"]}).status_code == 409
    )  # taken back once
    assert program.post(f"{V1}/records/{newer}/tags", json={}).json() == {"record": newer, "version": None}


def test_a_pair_is_seen_decided_and_reopened(desk: Desk, program: TestClient) -> None:
    first = tell(desk, "Where does Tama sleep?", "In the sink.")
    second = tell(desk, "Where does Tama sleep?", "On the piano.")
    found = program.get(f"{V1}/pairs").json()
    [pair] = found["items"]
    assert (pair["record"]["id"], [one["id"] for one in pair["others"]]) == (second, [first])
    assert (found["counts"]["contradiction"], found["next_cursor"]) == (1, None)
    path = f"{V1}/pairs/{second}/decisions"
    assert program.post(path, json={"keep": "this", "seen": [second]}).status_code == 409
    made = program.post(path, json={"keep": "this", "seen": [first]})
    assert made.json() == {"kept": [second], "excluded": [first]}
    [decided] = program.get(f"{V1}/pairs/decisions").json()["items"]
    assert (decided["record"], decided["kept"], decided["who"], decided["reopens"]) == (second, "this", "mika", True)
    reopened = program.post(f"{V1}/pairs/{second}/reopen")
    assert sorted(reopened.json()["records"]) == sorted([first, second])
    assert (status(desk, first), status(desk, second)) == (Status.ACTIVE, Status.HELD_BACK)
    assert program.post(f"{V1}/pairs/{second}/reopen").json()["code"] == "curating.not_decided"
    [decided] = program.get(f"{V1}/pairs/decisions").json()["items"]
    assert (decided["taken_back_by"], decided["reopens"]) == ("mika", False)
    assert [action for _, action, _ in acts(desk)] == ["resolve this", "reopen"]


def test_lists_of_pairs_and_decisions_go_on(desk: Desk, program: TestClient) -> None:
    for number in range(3):
        tell(desk, f"Where does cat {number} sleep?", "In the sink.")
        tell(desk, f"Where does cat {number} sleep?", "On the piano.")
    waiting = [one.stored.record.id for one in waiting_pairs(desk.b, "contradiction", 9)]
    page = program.get(f"{V1}/pairs?limit=2").json()
    rest = program.get(f"{V1}/pairs?limit=2&cursor={page['next_cursor']}").json()
    assert [one["record"]["id"] for one in (*page["items"], *rest["items"])] == waiting
    assert program.get(f"{V1}/pairs?cursor=nowhere").status_code == 404
    for one in waiting:
        program.post(f"{V1}/pairs/{one}/decisions", json={"keep": "both"})
    page = program.get(f"{V1}/pairs/decisions?limit=2").json()
    rest = program.get(f"{V1}/pairs/decisions?limit=2&cursor={page['next_cursor']}").json()
    assert [one["record"] for one in (*page["items"], *rest["items"])] == waiting[::-1]
    assert rest["next_cursor"] is None


def test_subjects_and_what_happened_to_one(desk: Desk, program: TestClient) -> None:
    for number, day in enumerate(("2024-03-02", "2026-11-20")):
        answer = "She sneezed for a week; it was the dust." if number else "She sneezed for a week; it was dust."
        tell(desk, "What happened to Hana?", answer, subject="Hana", happened_on=day)
    tell(desk, "What happened to 花?", "She slept.", subject="花/ /🐈")
    names = []
    cursor: dict[str, str] = {}
    while True:
        page = program.get(f"{V1}/subjects", params={"limit": "1", **cursor}).json()
        names += [one["name"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert names == [one.name for one in list_subjects(desk.b, 99)]
    assert "花/ /🐈" in names
    latest, earliest = program.get(f"{V1}/timeline", params={"subject": "Hana"}).json()["items"]
    assert (latest["day"], latest["dated"], earliest["day"]) == ("2026-11-20", True, "2024-03-02")
    assert [one["record"] for one in latest["earlier"]] == [earliest["record"]]
    assert program.get(f"{V1}/timeline?subject=Nobody").status_code == 404
    for cursor_ in ("1.!", "1.gA", "x"):
        assert program.get(f"{V1}/subjects", params={"cursor": cursor_}).status_code in (404, 422)


def test_before_and_after_telling(desk: Desk) -> None:
    tell(desk, "Where does Tama sleep?", "In the sink.")
    teller, reader = desk.program("append"), desk.program("read")
    draft = {"instruction": "Where does Tama sleep?", "output": "On the piano."}
    found = reader.post(f"{V1}/suggestions", json=draft, headers={"Idempotency-Key": "k"}).json()
    assert (found["language"]["value"], found["exact"]) == ("en", None)
    assert [one["output"] for one in found["contradicts"]] == ["In the sink."]
    assert teller.post(f"{V1}/suggestions", json=draft).status_code == 403  # it would tell what stands there
    told = teller.post(f"{V1}/records", json=draft).json()
    followed = teller.get(f"{V1}/submissions/{told['submission']}").json()
    assert (followed["state"], followed["record"], followed["status"]) == ("stored", told["record"], "held_back")
    assert "sink" not in str(followed)
    assert teller.get(f"{V1}/submissions/nowhere").status_code == 404
    with desk.b.database.reading() as con:
        assert con.execute("SELECT count(*) FROM kept_answers").fetchall() == [(0,)]  # it holds texts of records
