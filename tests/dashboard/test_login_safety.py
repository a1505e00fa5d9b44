"""Who logs in, how often somebody may try, and what a session is worth."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from api_calls import addresses
from desk import NOW, Desk
from starlette.testclient import TestClient

from bonsai.auth import accounts
from bonsai.auth.throttling import IPV6_NETWORK, LoginQueueFull, Throttle, TokenBuckets, network_of
from bonsai.web.app import create_app
from storage import audit

OPEN = {("GET", "/login"), ("POST", "/login"), ("POST", "/logout")}
"What needs no login; `/static` and the API's document are mounts of their own."


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


def test_passwords_are_tried_one_after_the_other_under_every_spelling_of_a_name(roomy: Desk) -> None:
    accounts.add_user(roomy.b, "mika", "admin", "dust in the litter", NOW)
    client = roomy.client(owner="")
    names = ["mika", " mika", "ｍｉｋａ", "mi\u200bka", "ﾐ", "mika"]
    statuses = [
        client.post("/login", data={"name": name, "password": "failed attempts"}).status_code
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
        except LoginQueueFull:
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
        except LoginQueueFull:
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
    buckets = TokenBuckets(per_minute=60, burst=2)
    assert [buckets.take("a", NOW), buckets.take("a", NOW), buckets.take("b", NOW)] == [0, 0, 0]
    assert buckets.take("a", NOW) == 1
    assert buckets.take("a", NOW + timedelta(seconds=1)) == 0
    assert buckets.take("a", NOW + timedelta(seconds=1)) > 0
    assert [buckets.take("a", NOW + timedelta(hours=1)) for _ in range(2)] == [0, 0]


def test_behind_https_the_cookie_is_this_hosts_alone(desk: Desk) -> None:
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
    verify = accounts.verify_password

    def slow(hashed: str, password: str) -> bool:
        found = verify(hashed, password)
        accounts.change_password(desk.b, "mika", "dust on the shelf", NOW)
        return found

    monkeypatch.setattr(accounts, "verify_password", slow)
    with pytest.raises(accounts.LoginRefused):
        accounts.log_in(desk.b, "mika", "dust in the litter", old_token="", now=NOW, hours=1)
