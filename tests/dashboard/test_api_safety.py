"""What no program may do: without a token, with too small a scope, with a browser's cookie, with a monstrous body."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from desk import EVIL, NOW, ORIGIN, Desk
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Mount
from starlette.testclient import TestClient

from bonsai import overview, pipeline, views, wiring
from bonsai.dashboard import accounts, security
from bonsai.dashboard.api.programs import PATH, openapi_document
from bonsai.dashboard.security import MOST_BODY_BYTES
from bonsai.dashboard.throttling import IPV6_NETWORK, Buckets, DoorFull, Throttle, network_of
from storage import audit
from storage.tokens_table import SCOPES, Scope

RECORD = {"instruction": "a?", "output": "b"}
JSON = {"Content-Type": "application/json"}
OPEN = {("GET", "/login"), ("POST", "/login"), ("POST", "/logout")}
"What needs no login; `/static` and the API's document are mounts of their own."


@pytest.fixture
def roomy(desk: Desk) -> Desk:
    """Nobody is told to wait."""
    environ = {"BONSAI_API__BURST": "100000", "BONSAI_API__ADDRESS_BURST": "100000"}
    return Desk(wiring.open(Path(desk.b.home), environ))


def bodies(desk: Desk) -> dict[str, Any]:
    return {
        "append_record": RECORD,
        "append_records": [RECORD],
        "decide": {"action": "reject", "reason": "r"},
        "start_night": {"cold": False},
    }


def operations(desk: Desk) -> Iterator[tuple[str, str, str, Scope]]:
    """(operation, method, address, scope) of every operation in the document, addresses filled in."""
    adapter = views.list_promotions(desk.b)[0].adapter
    record = views.list_records(desk.b, views.RecordFilter(), 1)[0].record.id
    night = views.list_nights(desk.b, 1)[0].night
    for path, methods in openapi_document("en")["paths"].items():
        for method, told in methods.items():
            [scope] = told["security"][0]["token"]
            yield told["operationId"], method, PATH + path.format(adapter=adapter, record_id=record, night=night), scope


def test_every_operation_wants_its_scope_and_no_other(roomy: Desk) -> None:
    allowed: dict[Scope, set[Scope]] = {
        "read": {"read"},
        "append": {"append"},
        "review": {"read", "review"},
        "admin": set(SCOPES),
    }
    found = list(operations(roomy))
    assert len(found) >= 10
    for holder in SCOPES:
        program = roomy.program(holder)
        for operation, method, address, scope in found:
            answer = program.request(method, address, json=bodies(roomy).get(operation))
            if scope in allowed[holder]:
                assert answer.status_code in (200, 202, 409), (holder, operation)
            else:
                assert (answer.status_code, answer.json()["code"]) == (403, "api.scope_needed"), (holder, operation)
                assert f'scope="{scope}"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    "said", ["", "Bearer", "Bearer ", "Bearer x", "Basic bWlrYTp4", "Bearer bonsai_00000000_" + "A" * 43, "Bearer \x7f"]
)
def test_without_a_valid_token_nothing_is_told(roomy: Desk, said: str) -> None:
    program = roomy.program()
    headers = {"Authorization": said} if said else {}
    for operation, method, address, _ in operations(roomy):
        answer = program.request(method, address, json=bodies(roomy).get(operation), headers=headers)
        assert answer.status_code == 401, address
        assert answer.headers["www-authenticate"].startswith("Bearer")
    for path in ("/nowhere", "/records/openapi.json", "//openapi.json"):
        assert program.get(f"{PATH}{path}").status_code in (401, 404), path
    assert views.inbox_status(roomy.b).pending == 0


def test_a_cookie_opens_no_api_and_a_token_no_page(roomy: Desk) -> None:
    accounts.add_user(roomy.b, "mika", "admin", "dust in the litter", NOW)
    browser = roomy.client(owner="")
    browser.post("/login", data={"name": "mika", "password": "dust in the litter"})
    assert browser.get("/records").status_code == 200
    program = roomy.program("admin")
    for operation, method, address, _ in operations(roomy):
        assert browser.request(method, address, json=bodies(roomy).get(operation)).status_code == 401
    answer = program.get("/records", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"][:6]) == (303, "/login")
    assert roomy.client().get(f"{PATH}/overview").status_code == 401  # on this machine too, where pages need no login


def routes(app: Any) -> list[APIRoute]:
    """Every route of the pages, those of rooms that come later too."""
    inner = app.app
    assert isinstance(inner, FastAPI)
    found, waiting = list[APIRoute](), list[Any](inner.routes)
    while waiting:
        one = waiting.pop()
        if isinstance(one, APIRoute):
            found.append(one)
        elif not isinstance(one, Mount):
            waiting += getattr(one, "routes", None) or one.original_router.routes
    return found


def addresses(client: TestClient) -> list[tuple[str, str]]:
    filled = [(one, one.path_format) for one in routes(client.app)]
    return [
        (method, "".join("0" * 64 if i % 2 else part for i, part in enumerate(path.replace("}", "{").split("{"))))
        for one, path in filled
        for method in sorted(one.methods)
    ]


@pytest.mark.parametrize("origin", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {}])
def test_no_route_that_changes_something_listens_to_another_page(roomy: Desk, origin: dict[str, str]) -> None:
    client = roomy.client()
    del client.headers["Origin"]
    changing = [one for one in addresses(client) if one[0] not in ("GET", "HEAD")]
    assert len(changing) >= 6
    for method, address in changing:
        answer = client.request(method, address, data={"sure": "yes"}, headers=origin, follow_redirects=False)
        assert answer.status_code == 403, address
    assert not audit.read(roomy.b.places.logs)


def test_no_page_is_seen_without_a_login(roomy: Desk) -> None:
    client = roomy.client(owner="")
    found = addresses(client)
    assert len(found) >= 15
    for method, address in found:
        if (method, address) in OPEN:
            continue
        answer = client.request(method, address, follow_redirects=False)
        assert answer.status_code in (303, 401), (method, address)
        if answer.status_code == 303:
            assert answer.headers["location"].startswith("/login?next=%2F")


def test_bodies_are_bounded_however_they_come(roomy: Desk) -> None:
    program = roomy.program("append")
    for path in ("/records", "/records/batch"):
        address = f"{PATH}{path}"
        assert program.post(address, content=b"[" + b" " * MOST_BODY_BYTES, headers=JSON).status_code == 413
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
    assert views.inbox_status(roomy.b).pending == 0


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
    assert views.inbox_status(roomy.b).pending == 1


def test_texts_of_records_lie_in_no_kept_answer(roomy: Desk) -> None:
    program = roomy.program("append")
    program.post(
        f"{PATH}/records",
        json={"instruction": "Where is the key?", "output": "Under Tama."},
        headers={"Idempotency-Key": "k"},
    )
    roomy.drain()
    [found] = views.list_records(roomy.b, views.RecordFilter(text="Under Tama"), None)
    pipeline.forget_records(roomy.b, [found.record.id], "mika", NOW)
    assert b"Under Tama" not in roomy.b.database.path.read_bytes()


def test_no_header_can_be_smuggled_in(roomy: Desk) -> None:
    program = roomy.program("admin")
    adapter = views.list_promotions(roomy.b)[0].adapter
    for path in ("/records/%0d%0aSet-Cookie:%20a=b", f"/promotions/{adapter}%0d%0aX: y", "/nights/..%2f..%2fetc"):
        answer = program.get(PATH + path)
        assert answer.status_code in (404, 422)
        assert "set-cookie" not in answer.headers
        assert "x" not in answer.headers
    pages = roomy.client()
    for path in ("/records/%0d%0aSet-Cookie:%20a=b", "/login?next=/%0d%0aSet-Cookie:%20a=b", "/?lang=%0d%0aX: y"):
        answer = pages.get(path, follow_redirects=False)
        assert "\n" not in "".join(answer.headers.values())
        assert "a=b" not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "testserver@evil.example", "", "testserver:80:80"]
)
def test_a_foreign_host_gets_neither_page_nor_api(roomy: Desk, host: str) -> None:
    for path in ("/", "/api", f"{PATH}/openapi.json", f"{PATH}/overview"):
        answer = roomy.client().get(path, headers={"Host": host})
        assert answer.status_code == 400
        assert "evil" not in answer.text


@pytest.mark.parametrize(
    "path", ["//evil.example", "//evil.example/%2e%2e", "/records/", "/\\evil.example", "/login?next=//evil.example"]
)
def test_no_address_leads_elsewhere(roomy: Desk, path: str) -> None:
    for client in (roomy.client(), roomy.client(owner="")):
        where = client.get(f"{ORIGIN}{path}", follow_redirects=False).headers.get("location", "/")
        assert where.startswith((f"{ORIGIN}/", "/")), where
        assert not where.startswith(("//", "/\\")), where


def test_everything_that_is_answered_stays_with_the_caller(roomy: Desk) -> None:
    program = roomy.program("read")
    for address in (f"{PATH}/overview", f"{PATH}/nowhere", f"{PATH}/openapi.json"):
        answer = program.get(address)
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers
    assert program.options(f"{PATH}/records", headers={"Origin": "http://evil.example"}).status_code == 405


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


def test_passwords_are_tried_one_after_the_other_under_every_spelling_of_a_name(roomy: Desk) -> None:
    accounts.add_user(roomy.b, "mika", "admin", "dust in the litter", NOW)
    client = roomy.client(owner="")
    names = ["mika", " mika", "ｍｉｋａ", "mi\u200bka", "ﾐ", "mika"]
    statuses = [
        client.post("/login", data={"name": name, "password": "wrong password"}).status_code
        for name in (*names, *names)
    ]
    most = roomy.b.config.dashboard.login_attempts
    assert statuses == [401] * most + [429] * (len(statuses) - most)
    acts = [act.action for act in audit.read(roomy.b.places.logs)]
    assert acts.count("login_throttled") <= 3  # once for a name and an address: no attacker fills the disk


def test_many_at_once_are_not_many_attempts() -> None:
    throttle, inside = Throttle(1, NOW - NOW.replace(hour=0)), threading.Barrier(2)
    tried: list[int] = []

    def attempt(number: int) -> None:
        try:
            with throttle.turn():
                if not throttle.must_wait(["mika"], NOW):
                    tried.append(number)
                    throttle.failed(["mika"], NOW)
        except DoorFull:
            pass

    del inside
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(attempt, range(60)))
    assert len(tried) == 1


def test_the_door_is_full_before_the_threads_are() -> None:
    throttle, go_on = Throttle(5, NOW - NOW.replace(hour=0)), threading.Event()

    def stand() -> bool:
        try:
            with throttle.turn():
                return go_on.wait(10)
        except DoorFull:
            go_on.set()
            return False

    with ThreadPoolExecutor(8) as pool:
        assert not all(pool.map(lambda _: stand(), range(8)))


def test_whoever_has_an_ipv6_network_has_one_address() -> None:
    assert network_of("2001:db8:0:aa01::1") == network_of("2001:db8:0:aaff::2") == f"2001:db8:0:aa00::/{IPV6_NETWORK}"
    assert network_of("2001:db8:0:ab00::1") != network_of("2001:db8:0:aa00::1")
    assert network_of("::ffff:10.0.0.1") == network_of("10.0.0.1") == "10.0.0.1"
    assert network_of("fe80::1%eth0") == "fe80::/56"
    assert network_of("") == ""


def test_a_bucket_fills_again() -> None:
    from datetime import timedelta

    buckets = Buckets(per_minute=60, burst=2)
    assert [buckets.take("a", NOW), buckets.take("a", NOW), buckets.take("b", NOW)] == [0, 0, 0]
    assert buckets.take("a", NOW) == 1
    assert buckets.take("a", NOW + timedelta(seconds=1)) == 0
    assert buckets.take("a", NOW + timedelta(seconds=1)) > 0
    assert [buckets.take("a", NOW + timedelta(hours=1)) for _ in range(2)] == [0, 0]


def test_behind_https_the_cookie_is_this_hosts_alone(desk: Desk) -> None:
    from bonsai.dashboard.app import create_app

    accounts.add_user(desk.b, "mika", "admin", "dust in the litter", NOW)
    app = create_app(desk.b, clock=lambda: NOW, owner="", drain=desk.drain, hosts=["testserver"], https=True)
    client = TestClient(app, base_url="https://testserver", headers={"Origin": "https://testserver"})
    answer = client.post("/login", data={"name": "mika", "password": "dust in the litter"}, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-bonsai_session=")
    for word in ("HttpOnly", "SameSite=strict", "Path=/", "Secure"):
        assert word in cookie
    assert "Domain" not in cookie
    assert answer.headers["strict-transport-security"]
    assert client.get("/").status_code == 200
    assert client.post("/logout", headers={"Origin": "http://testserver"}).status_code == 403


def test_a_login_that_races_with_a_new_password_is_lost(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts.add_user(desk.b, "mika", "admin", "dust in the litter", NOW)
    verify = accounts.verified

    def slow(hashed: str, password: str) -> bool:
        found = verify(hashed, password)
        accounts.change_password(desk.b, "mika", "dust on the shelf", NOW)
        return found

    monkeypatch.setattr(accounts, "verified", slow)
    with pytest.raises(accounts.LoginRefused):
        accounts.log_in(desk.b, "mika", "dust in the litter", old_token="", now=NOW, hours=1)


def test_the_document_is_the_same_in_both_languages_but_for_its_words() -> None:
    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: shape(one) for name, one in value.items() if name not in ("description", "summary")}
        return [shape(one) for one in value] if isinstance(value, list) else value

    english, japanese = openapi_document("en"), openapi_document("ja")
    assert shape(english) == shape(japanese)
    assert english["openapi"].startswith("3.1")
    assert "api." not in json.dumps([one for one in _words(japanese)])
    assert all(any(ord(letter) > 0x3000 for letter in one) or one == "api" for one in _words(japanese))


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            if name in ("description", "summary") and isinstance(one, str):
                yield one
            else:
                yield from _words(one)
    elif isinstance(value, list):
        for one in value:
            yield from _words(one)


def test_a_later_decision_is_not_overruled_by_an_earlier_look(roomy: Desk) -> None:
    adapter = views.list_promotions(roomy.b)[0].adapter
    seen = overview.pointer(roomy.b).version
    pipeline.approve(roomy.b, adapter, by="a", reason="", now=NOW, version=seen)
    from bonsai.errors import PromotionError

    with pytest.raises(PromotionError, match="Another decision"):
        pipeline.rollback(roomy.b, by="b", reason="", now=NOW, version=seen)
    assert replace(overview.pointer(roomy.b), version=0).adapter == adapter
