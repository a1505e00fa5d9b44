"""What programs send: monstrous, broken, slow, twice at once, too late; and what is kept of it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from desk import EVIL, NOW, ORIGIN, Desk
from starlette.testclient import TestClient

from bonsai.actions.forget import forget_records
from bonsai.actions.promotions import approve, rollback
from bonsai.errors import PromotionError
from bonsai.queries.promotions import list_promotions, pointer
from bonsai.queries.records import inbox_status, list_records
from bonsai.web import security
from bonsai.web.api.app import PATH
from bonsai.web.security import MAX_BODY_BYTES
from storage.tables.records_table import RecordFilter

RECORD = {"instruction": "a?", "output": "b"}
JSON = {"Content-Type": "application/json"}


def test_bodies_are_bounded_however_they_come(roomy: Desk) -> None:
    program = roomy.program("append")
    for path in ("/records", "/records/batch"):
        address = f"{PATH}{path}"
        assert program.post(address, content=b"[" + b" " * MAX_BODY_BYTES, headers=JSON).status_code == 413
        pieces = (b" " * 500_000 for _ in range(5))
        assert program.post(address, content=pieces, headers=JSON).status_code == 413
        for length in ("-1", "x", "9" * 30):
            assert program.post(address, content=b"[]", headers={**JSON, "Content-Length": length}).status_code == 413
    many = b"\n".join([b"{}"] * (roomy.b.config.api.items + 1))
    answer = program.post(f"{PATH}/records/batch", content=many, headers={"Content-Type": "application/x-ndjson"})
    assert (answer.status_code, answer.json()["code"]) == (413, "api.too_many")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"instruction": "\\ud800", "output": "b"}',
        b'{"instruction": 1e999999, "output": "b"}',
        b'{"instruction": ' + b"9" * 10_000 + b', "output": "b"}',
        b'{"instruction": NaN, "output": "b"}',
        b'{"instruction": "a", "output": "b", "\\ud800": 1}',
        b"null",
        b"7",
    ],
)
def test_broken_json_is_the_callers_mistake(roomy: Desk, body: bytes) -> None:
    program = roomy.program("append")
    for path in ("/records", "/records/batch"):
        answer = program.post(f"{PATH}{path}", content=body, headers=JSON)
        assert answer.status_code in (400, 422), path
        assert answer.headers["content-type"] == "application/problem+json"
    lines = program.post(f"{PATH}/records/batch", content=body, headers={"Content-Type": "application/x-ndjson"})
    assert lines.status_code == (200 if body.strip() else 422)
    assert inbox_status(roomy.b).pending == 0


def test_a_search_that_goes_on_from_nowhere_finds_nothing(roomy: Desk) -> None:
    program, nowhere = roomy.program("read"), "0" * 64
    for query in (f"cursor={nowhere}", f"cursor={nowhere}&text=sneeze"):
        assert program.get(f"{PATH}/records?{query}").status_code == 404
    assert roomy.client().get(f"/records?text=sneeze&before={nowhere}").status_code == 200


def test_who_sends_too_slowly_is_hung_up_on(roomy: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "BODY_SECONDS", 0.05)
    program = roomy.program("append")
    headers = [(b"host", b"testserver"), (b"content-type", b"application/json")]
    headers.append((b"authorization", program.headers["Authorization"].encode()))
    told: list[Any] = []

    async def never() -> Any:
        await asyncio.sleep(3600)

    async def send(message: Any) -> None:
        told.append(message)

    scope = {"type": "http", "method": "POST", "path": f"{PATH}/records", "raw_path": b"", "query_string": b""}
    scope |= {"headers": headers, "scheme": "http", "server": ("testserver", 80), "client": ("10.0.0.1", 1)}
    asyncio.run(program.app({**scope, "http_version": "1.1", "root_path": ""}, never, send))  # type: ignore[arg-type]
    assert told[0]["status"] == 408


def test_the_same_request_twice_at_once_is_done_once(roomy: Desk) -> None:
    began, go_on = threading.Event(), threading.Event()

    def drain() -> None:
        began.set()
        assert go_on.wait(10)

    token = roomy.token("append")
    client = TestClient(roomy.client(owner="", drain=drain).app, base_url=ORIGIN)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "one"}

    def ask() -> Any:
        return client.post(f"{PATH}/records", json=RECORD, headers=headers)

    with ThreadPoolExecutor() as pool:
        first = pool.submit(ask)
        assert began.wait(10)
        second = ask()
        go_on.set()
    assert (second.status_code, second.json()["code"]) == (409, "api.key_at_work")
    assert first.result().status_code == 202
    assert inbox_status(roomy.b).pending == 1


def test_texts_of_records_lie_in_no_kept_answer(roomy: Desk) -> None:
    program = roomy.program("append")
    program.post(
        f"{PATH}/records",
        json={"instruction": "Where is the key?", "output": "Under Tama."},
        headers={"Idempotency-Key": "k"},
    )
    roomy.drain()
    [found] = list_records(roomy.b, RecordFilter(text="Under Tama"), None)
    forget_records(roomy.b, [found.record.id], "mika", NOW)
    assert b"Under Tama" not in roomy.b.database.path.read_bytes()


def test_a_mistake_of_ours_is_told_as_a_problem_and_can_be_tried_again(roomy: Desk) -> None:
    def broken() -> None:
        raise RuntimeError(EVIL)

    token, headers = roomy.token("append"), {"Idempotency-Key": "k"}
    failing = TestClient(roomy.client(owner="", drain=broken).app, base_url=ORIGIN, raise_server_exceptions=False)
    told = {"Authorization": f"Bearer {token}", **headers}
    answer = failing.post(f"{PATH}/records", json=RECORD, headers=told)
    assert (answer.status_code, answer.json()["status"]) == (500, 500)
    assert "RuntimeError" not in answer.text
    sound = TestClient(roomy.client(owner="").app, base_url=ORIGIN)
    assert sound.post(f"{PATH}/records", json=RECORD, headers=told).status_code == 202


def test_a_later_decision_is_not_overruled_by_an_earlier_look(roomy: Desk) -> None:
    adapter = list_promotions(roomy.b)[0].adapter
    seen = pointer(roomy.b).version
    approve(roomy.b, adapter, by="a", reason="", now=NOW, version=seen)
    with pytest.raises(PromotionError, match="Someone else decided first"):
        rollback(roomy.b, by="b", reason="", now=NOW, version=seen)
    assert replace(pointer(roomy.b), version=0).adapter == adapter
