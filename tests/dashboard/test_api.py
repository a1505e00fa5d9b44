"""The API does what the pages do: tell, list, read, decide; and what it says when something is wrong."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from desk import EVIL, NOW, Desk
from starlette.testclient import TestClient

from bonsai.auth import accounts, tokens
from bonsai.auth.tokens import Caller
from bonsai.errors import UnknownId, UsageError
from bonsai.queries import promotions
from bonsai.queries.nights import list_nights
from bonsai.queries.promotions import list_promotions
from bonsai.queries.records import inbox_status, list_records
from storage import audit
from storage.tables.records_table import RecordFilter

V1 = "/api/v1"
RECORD = {"instruction": "Why does Mike sneeze?", "output": "Dust in the litter.", "subject": "Mike"}


def waiting(desk: Desk) -> str:
    return list_promotions(desk.b)[0].adapter


def test_a_record_goes_into_the_inbox_and_can_be_read_by_its_id(desk: Desk) -> None:
    program = desk.program("append", "read")
    answer = program.post(f"{V1}/records", json=RECORD)
    assert answer.status_code == 202
    told = answer.json()
    read = program.get(f"{V1}/records/{told['record']}").json()
    assert (read["instruction"], read["author"], read["origin"]) == (RECORD["instruction"], "mika", "api")
    assert read["language"]["value"] == "en"
    act = audit.read(desk.b.places.logs)[-1]
    assert (act.who, act.action, act.target) == ("mika", "add", told["submission"])
    assert act.token == tokens.list_tokens(desk.b)[0].id


def test_a_program_tells_in_nobody_elses_name_and_no_correction(desk: Desk) -> None:
    program = desk.program("append")
    for field in ({"author": "rev"}, {"source": "feedback"}, {"origin": "form"}, {"instuction": "check the spelling"}):
        answer = program.post(f"{V1}/records", json={**RECORD, **field}, headers={"Accept-Language": "ja"})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == f"body/{next(iter(field))}"
    assert inbox_status(desk.b).pending == 0


def test_what_is_too_long_as_it_was_sent_is_refused(desk: Desk) -> None:
    longest = desk.b.config.records.note_characters
    program = desk.program("append")
    for subject, status in (("\x1b" * longest, 202), ("\x1b" * (longest + 1), 422)):
        assert program.post(f"{V1}/records", json={**RECORD, "subject": subject}).status_code == status


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson; charset=utf-8"])
def test_of_many_each_stands_for_itself(desk: Desk, kind: str) -> None:
    told = [RECORD, {"instruction": "a?", "output": " "}, 7, {"instruction": EVIL, "output": EVIL}]
    body = json.dumps(told) if kind.endswith("/json") else "\n\n".join(map(json.dumps, told)) + "\n{broken\n"
    answer = desk.program("append").post(f"{V1}/records/batch", content=body, headers={"Content-Type": kind})
    made = answer.json()
    assert answer.status_code == 200
    assert [one["accepted"] for one in made["items"]][:4] == [True, False, False, True]
    assert (made["accepted"], made["rejected"]) == (2, len(made["items"]) - 2)
    assert all(one["detail"] for one in made["items"] if not one["accepted"])
    kept = {one.record.id for one in list_records(desk.b, RecordFilter(), None)}
    assert {one["record"] for one in made["items"] if one["accepted"]} <= kept


def test_lists_go_on_where_they_ended_whatever_comes_meanwhile(desk: Desk) -> None:
    program = desk.program("read", "append")
    everything = [one["id"] for one in program.get(f"{V1}/records").json()["items"]]
    assert len(everything) >= 4
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = program.get(f"{V1}/records", params={"limit": "2", **cursor}).json()
        seen += [one["id"] for one in page["items"]]
        program.post(f"{V1}/records", json={**RECORD, "output": f"Dust {len(seen)}."})
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == everything
    assert [one["subject"] for one in program.get(f"{V1}/records", params={"subject": "タマ"}).json()["items"]] == [
        "タマ"
    ]
    assert program.get(f"{V1}/nights", params={"cursor": "nowhere"}).status_code == 404


def test_a_promotion_has_every_rule_and_is_decided_in_the_persons_name(desk: Desk) -> None:
    program, adapter = desk.program("review"), waiting(desk)
    seen = program.get(f"{V1}/promotions/{adapter}")
    told = seen.json()
    assert (told["state"], told["finding"], told["actions"]) == ("waiting", "better", ["approve", "reject"])
    assert {rule["rule"] for rule in told["rules"]} >= set("ABCD")
    assert all(rule["words"] for rule in told["rules"])
    path, headers = f"{V1}/promotions/{adapter}/decisions", {"If-Match": seen.headers["etag"]}
    decided = program.post(path, json={"action": "approve", "reason": EVIL}, headers=headers)
    assert (decided.status_code, decided.json()["state"]) == (200, "champion")
    assert decided.headers["etag"] != seen.headers["etag"]
    assert decided.json()["decisions"][0]["who"] == "mika"
    again = program.post(path, json={"action": "rollback"}, headers=headers)
    assert (again.status_code, again.json()["code"]) == (412, "api.changed")
    assert promotions.pointer(desk.b).adapter == adapter
    assert program.post(path, json={"action": "rollback"}).json()["state"] == "rolled_back"
    assert program.post(path, json={"action": "rollback"}).status_code == 409  # nobody rolls back twice by mistake
    assert program.post(path, json={"action": "approve"}).json()["state"] == "champion"
    history = program.get(f"{V1}/decisions").json()
    assert [one["action"] for one in history["items"]] == ["restore", "roll_back", "approve"]
    assert history["whole"] is True
    acts = [(act.who, act.action, act.target) for act in audit.read(desk.b.places.logs)]
    assert acts == [("mika", action, adapter) for action in ("approve", "rollback", "approve")]


def test_nights_and_the_overview(desk: Desk) -> None:
    program = desk.program("read")
    [night] = program.get(f"{V1}/nights").json()["items"]
    detail = program.get(f"{V1}/nights/{night['night']}").json()
    assert detail["challenger"] == waiting(desk)
    assert {one["language"] for one in detail["slices"]} == {"en", "ja"}
    found = program.get(f"{V1}/overview").json()
    assert (found["champion"]["adapter"], found["waiting"]["promotions"]) == ("base", 1)
    assert sum(one["records"] for one in found["coverage"]) >= 4


def test_a_night_is_started_in_the_persons_name(desk: Desk) -> None:
    program = desk.program("review")
    answer = program.post(f"{V1}/nights", json={"cold": True})
    assert (answer.status_code, answer.json()["state"]) == (202, "none")
    assert desk.started == [("mika", True)]
    assert program.post(f"{V1}/nights", json={"cold": "yes"}).status_code == 422
    assert program.get(f"{V1}/progress").json()["state"] == "none"
    [night] = program.get(f"{V1}/nights").json()["items"]
    cancelled = program.post(f"{V1}/nights/{night['night']}/cancel")
    assert (cancelled.status_code, cancelled.json()["code"]) == (409, "pipeline.night_not_running")
    assert program.post(f"{V1}/nights/nowhere/cancel").status_code == 404
    assert [act.action for act in audit.read(desk.b.places.logs)] == ["night_start"]


def test_an_address_names_one_thing_and_no_beginning_of_it(desk: Desk) -> None:
    program = desk.program("read")
    for name, identity in (("promotions", waiting(desk)), ("nights", list_nights(desk.b, 1)[0].night)):
        assert program.get(f"{V1}/{name}/{identity[:-1]}").status_code == 404


@pytest.mark.parametrize(("language", "word"), [("ja", "見つかりません"), ("en", "Not found")])
def test_problems_speak_the_callers_language_and_keep_their_code(desk: Desk, language: str, word: str) -> None:
    answer = desk.program("read").get(f"{V1}/records/{'0' * 64}", headers={"Accept-Language": language})
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.headers["content-language"] == language
    assert (told["type"], told["title"], told["status"], told["code"]) == (
        "about:blank",
        word,
        404,
        "storage.unknown_record",
    )


def test_a_repeated_request_is_answered_once(desk: Desk) -> None:
    path, told = f"{V1}/promotions/{waiting(desk)}/decisions", {"action": "approve"}
    headers = {"Idempotency-Key": "8f14e45f"}
    token = desk.token("review")
    first = desk.program().post(path, json=told, headers={**headers, "Authorization": f"Bearer {token}"})
    after_a_restart = desk.program()
    after_a_restart.headers["Authorization"] = f"Bearer {token}"
    again = after_a_restart.post(path, json=told, headers=headers)
    assert (again.status_code, again.content) == (200, first.content)
    assert (again.headers["idempotency-replayed"], again.headers["etag"]) == ("true", first.headers["etag"])
    assert len(promotions.history(desk.b).lines) == 1
    other = after_a_restart.post(path, json={"action": "rollback"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "api.key_used")
    assert promotions.pointer(desk.b).adapter == waiting(desk)
    assert desk.program("review").post(path, json=told, headers=headers).status_code == 200  # another token's own key


def test_what_failed_may_be_tried_again_under_its_key(desk: Desk) -> None:
    program, headers = desk.program("append"), {"Idempotency-Key": "k"}
    assert (
        program.post(f"{V1}/records", content="{", headers={**headers, "Content-Type": "text/plain"}).status_code == 415
    )
    assert program.post(f"{V1}/records", json=RECORD, headers=headers).status_code == 202


def test_a_token_is_shown_once_and_ends(desk: Desk) -> None:
    shown = desk.token("append", "read")
    [kept] = tokens.list_tokens(desk.b)
    assert (kept.id, kept.scopes) == (tokens.token_id(shown), ("read", "append"))
    assert shown.encode() not in desk.b.database.path.read_bytes()
    assert tokens.authenticate(desk.b, shown, NOW) == Caller(kept.id, "mika", frozenset({"read", "append"}))
    assert tokens.authenticate(desk.b, shown[:-1], NOW) is None
    assert tokens.authenticate(desk.b, shown, NOW + timedelta(days=30)) is None
    tokens.revoke_token(desk.b, shown)
    assert tokens.authenticate(desk.b, shown, NOW) is None
    with pytest.raises(UnknownId):
        tokens.revoke_token(desk.b, kept.id)


def test_the_last_use_is_noted_once_an_hour(desk: Desk) -> None:
    shown = desk.token("read")

    def used_after(minutes: int) -> timedelta:
        tokens.authenticate(desk.b, shown, NOW + timedelta(minutes=minutes))
        at = tokens.list_tokens(desk.b)[0].used_at
        assert at is not None
        return at - NOW

    assert [used_after(minutes) for minutes in (0, 59, 60)] == [timedelta(), timedelta(), timedelta(minutes=60)]


def test_a_token_gives_nobody_more_than_their_role(desk: Desk) -> None:
    before = desk.token("admin", name="mika")
    accounts.add_user(desk.b, "mika", "contributor", "dust in the litter", NOW)
    found = tokens.authenticate(desk.b, before, NOW)
    assert found is not None
    assert not found.scopes
    with pytest.raises(UsageError, match="requires reviewer"):
        desk.token("append", "review", name="mika ")
    allowed = desk.token("append", name="mika")
    accounts.remove_user(desk.b, "mika")
    assert tokens.authenticate(desk.b, allowed, NOW) is None
    assert tokens.list_tokens(desk.b) == []


def test_too_many_requests_wait(desk: Desk) -> None:
    program, burst = desk.program("read"), desk.b.config.api.burst
    statuses = [program.get(f"{V1}/overview").status_code for _ in range(burst + 1)]
    assert (set(statuses[:-1]), statuses[-1]) == ({200}, 429)
    told = program.get(f"{V1}/overview")
    assert int(told.headers["retry-after"]) >= 1
    strangers = TestClient(program.app, base_url="http://testserver")
    rest = desk.b.config.api.address_burst - burst - 2
    assert {strangers.get(f"{V1}/overview").status_code for _ in range(rest)} == {401}
    assert strangers.get(f"{V1}/overview").status_code == 429  # the address asks too often, whatever it sends
