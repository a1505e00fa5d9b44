"""What no request may do: foreign pages, foreign hosts, long bodies, stolen or fixed sessions, too small a role."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx2
import pytest
from desk import NOW, ORIGIN, Desk
from starlette.testclient import TestClient
from starlette.types import Message

from bonsai.auth import accounts
from bonsai.auth.throttling import Throttle
from bonsai.errors import UsageError
from bonsai.queries.promotions import champion, list_promotions
from bonsai.queries.records import inbox_status
from bonsai.web.request import SESSION_COOKIE
from bonsai.web.security import HEADERS, MAX_BODY_BYTES, is_loopback, trusted_hosts
from storage import audit
from storage.tables.users_table import Role

PASSWORD = "dust in the litter"
RECORD = {"instruction": "a?", "output": "b"}


def log_in(client: TestClient, name: str = "mika", password: str = PASSWORD, after: str = "/") -> httpx2.Response:
    given = {"name": name, "password": password, "next": after}
    return client.post("/login", data=given, follow_redirects=False)


@pytest.fixture
def together(desk: Desk) -> Desk:
    """A home with one user of each role."""
    users: tuple[tuple[str, Role], ...] = (("con", "contributor"), ("rev", "reviewer"), ("mika", "admin"))
    for name, role in users:
        accounts.add_user(desk.b, name, role, PASSWORD, NOW)
    return desk


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "https://testserver"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_only_our_own_pages_change_anything(client: TestClient, desk: Desk, headers: dict[str, str]) -> None:
    assert client.post("/records", data=RECORD, headers=headers).status_code == 403
    assert client.post("/logout", headers=headers).status_code == 403
    assert inbox_status(desk.b).pending == 0
    assert not audit.read(desk.b.places.logs)


def test_a_browser_that_says_same_origin_is_let_in(client: TestClient) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": ORIGIN}
    assert client.post("/records", data=RECORD, headers=headers, follow_redirects=False).status_code == 303


def test_a_foreign_host_is_refused(client: TestClient) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_every_answer_says_what_a_browser_may_load(client: TestClient) -> None:
    for path in ("/", "/nowhere", "/login", "/static/style.css"):
        answer = client.get(path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert "unsafe" not in answer.headers["content-security-policy"]
    assert client.get("/").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/"])
def test_static_files_are_all_that_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_bodies_are_forms_of_a_bearable_length(client: TestClient) -> None:
    assert client.post("/records", content=b"x" * (MAX_BODY_BYTES + 1)).status_code == 413
    pieces = (b"instruction=" + b"x" * 500_000 for _ in range(5))
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/records", content=pieces, headers=kind).status_code == 413
    assert client.post("/records", content=b"{}", headers={"Content-Type": "application/json"}).status_code == 415
    assert client.post("/records", content=b"instruction=%ff&output=b", headers=kind).status_code == 422
    assert client.post("/records", content=b"a=1&" * 60, headers=kind).status_code == 422


def test_without_a_login_there_is_none(client: TestClient) -> None:
    assert log_in(client).status_code == 404


def test_nobody_gets_in_without_a_session(together: Desk) -> None:
    client = together.client(owner="")
    for path in ("/", "/records", "/promotions", "/rejects", "/records/new"):
        answer = client.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login")
    assert client.post("/records", data=RECORD).status_code == 401
    assert client.post("/suggest", data=RECORD, headers={"Accept": "application/json"}).status_code == 401


def test_a_session_is_new_at_every_login_and_ends_on_the_server(together: Desk) -> None:
    client = together.client(owner="")
    given = {"name": "mika", "password": PASSWORD, "next": "/records"}
    planted = {"Cookie": f"{SESSION_COOKIE}=planted"}
    first = client.post("/login", data=given, headers=planted, follow_redirects=False).headers
    assert first["location"] == "/records"
    for word in ("HttpOnly", "SameSite=strict", "Path=/"):
        assert word in first["set-cookie"]
    assert "planted" not in first["set-cookie"]
    token = client.cookies[SESSION_COOKIE]
    assert client.get("/").status_code == 200
    log_in(client)
    assert client.cookies[SESSION_COOKIE] != token
    assert accounts.find_session_user(together.b, token, NOW) is None  # the one that was brought along is over
    kept = client.cookies[SESSION_COOKIE]
    client.post("/logout")
    assert accounts.find_session_user(together.b, kept, NOW) is None


def test_sessions_end_with_time_with_the_password_and_with_the_user(together: Desk) -> None:
    def session() -> str:
        return accounts.log_in(together.b, "rev", PASSWORD, old_token="", now=NOW, hours=1)

    token = session()
    assert accounts.find_session_user(together.b, token, NOW + timedelta(minutes=59)) is not None
    assert accounts.find_session_user(together.b, token, NOW + timedelta(minutes=60)) is None
    accounts.change_password(together.b, "rev", PASSWORD + "!", NOW)
    assert accounts.find_session_user(together.b, token, NOW) is None
    with pytest.raises(accounts.LoginRefused):
        session()
    token = accounts.log_in(together.b, "rev", PASSWORD + "!", old_token="", now=NOW, hours=1)
    accounts.remove_user(together.b, "rev")
    assert accounts.find_session_user(together.b, token, NOW) is None


def test_roles_say_who_may_decide(together: Desk) -> None:
    adapter = list_promotions(together.b)[0].adapter
    client = together.client(owner="")
    log_in(client, "con")
    assert client.post("/records", data=RECORD, follow_redirects=False).status_code == 303
    assert client.post(f"/promotions/{adapter}/approve", data={"reason": ""}).status_code == 403
    assert "formaction" not in client.get(f"/promotions/{adapter}").text
    log_in(client, "rev")
    assert client.post(f"/promotions/{adapter}/approve", data={"reason": ""}).status_code == 200
    assert champion(together.b) == adapter
    told = [(act.who, act.action) for act in audit.read(together.b.places.logs)]
    assert told == [("con", "login"), ("con", "add"), ("rev", "login"), ("rev", "approve")]


def test_wrong_passwords_have_to_wait(together: Desk) -> None:
    client = together.client(owner="")
    attempts = together.b.config.dashboard.login_attempts
    assert {log_in(client, password="failed attempts").status_code for _ in range(attempts)} == {401}
    assert log_in(client).status_code == 429  # the right one too
    assert log_in(client, name="rev").status_code == 429  # from this address
    assert [act.action for act in audit.read(together.b.places.logs)][-1] == "login_throttled"


def test_waiting_ends() -> None:
    throttle = Throttle(2, timedelta(minutes=15))
    throttle.failed(["mika"], NOW)
    throttle.failed(["mika"], NOW)
    assert throttle.must_wait(["mika", "elsewhere"], NOW + timedelta(minutes=14))
    assert not throttle.must_wait(["mika"], NOW + timedelta(minutes=15))
    assert not throttle.must_wait(["rev"], NOW)


@pytest.mark.parametrize(
    "after", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_a_login_leads_nowhere_else(together: Desk, after: str) -> None:
    assert log_in(together.client(owner=""), after=after).headers["location"] == "/"


def test_passwords_are_long_and_kept_as_argon2_alone(together: Desk) -> None:
    with pytest.raises(UsageError, match="12 to"):
        accounts.add_user(together.b, "new", "admin", "short", NOW)
    with pytest.raises(UsageError, match="already"):
        accounts.add_user(together.b, "mika ", "admin", PASSWORD, NOW)
    with pytest.raises(UsageError, match="is not a valid name"):
        accounts.add_user(together.b, "\n", "admin", PASSWORD, NOW)
    hashes = {user.password_hash for user in accounts.list_users(together.b)}
    assert len(hashes) == 3
    assert all(one.startswith("$argon2id$") and PASSWORD not in one for one in hashes)


def test_which_addresses_only_this_machine_reaches() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "192.168.1.7", "cats.example", ""))
    assert trusted_hosts("0.0.0.0", ["cats.example"]) == ["localhost", "127.0.0.1", "[::1]", "cats.example"]


@pytest.mark.parametrize("path", ["/bases/plan", "/uploads", "/api/v1/records", "/api/v1/uploads", "/logout"])
def test_a_body_that_is_cut_off_leaves_no_traceback(desk: Desk, path: str) -> None:
    """A second click on a button ends the first one's request."""
    inside = path.startswith("/api")
    client = desk.program("admin") if inside else desk.client()
    kind = "multipart/form-data; boundary=b" if path == "/uploads" else "application/x-www-form-urlencoded"
    names = {**client.headers, "origin": ORIGIN, "host": "testserver", "content-type": kind, "content-length": "9"}
    head = {"path": path, "raw_path": path.encode(), "root_path": "", "query_string": b"", "method": "POST"}
    headers = [(name.lower().encode(), value.encode()) for name, value in names.items()]
    scope = {"type": "http", "http_version": "1.1", "scheme": "http", "headers": headers, "client": ("::1", 1), **head}
    sent: list[int] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message.get("status", 0))

    asyncio.run(client.app(scope, receive, send))  # an error of the server would be raised here
    assert sent[0] < 500
    assert not list(desk.b.places.uploads.rglob("arrived"))
