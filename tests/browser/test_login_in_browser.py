"""Logging in, and what each role finds on the pages."""

from __future__ import annotations

import pytest
from browsing import Open, Visitor
from desk import NOW, Desk
from playwright.sync_api import expect

from bonsai.auth import accounts
from bonsai.queries.promotions import champion, list_promotions
from storage.tables.users_table import Role

PASSWORD = "dust in the litter"


@pytest.fixture
def together(desk: Desk) -> Desk:
    users: tuple[tuple[str, Role], ...] = (("con", "contributor"), ("rev", "reviewer"))
    for name, role in users:
        accounts.add_user(desk.b, name, role, PASSWORD, NOW)
    return desk


def log_in(visitor: Visitor, name: str, password: str = PASSWORD) -> None:
    page = visitor.page
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def test_a_login_leads_on_and_a_logout_ends_it(together: Desk, shared_address: str, visit: Open) -> None:
    visitor = visit(shared_address)
    visitor.noticed.expected.add(401)
    page = visitor.go("/records")
    assert visitor.path == "/login"
    log_in(visitor, "con", "a wrong one entirely")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("con")
    log_in(visitor, "con")
    expect(page.get_by_role("heading", level=1)).to_have_text("Records")
    [session] = [one for one in visitor.context.cookies() if one["name"] == "bonsai_session"]
    assert (session["httpOnly"], session["sameSite"]) == (True, "Strict")
    page.get_by_role("button", name="Log out").click()
    visitor.go("/records")
    assert visitor.path == "/login"


def test_a_contributor_looks_and_a_reviewer_decides(together: Desk, shared_address: str, visit: Open) -> None:
    waiting = list_promotions(together.b)[0].adapter
    for name, buttons in (("con", 0), ("rev", 1)):
        visitor = visit(shared_address)
        page = visitor.go(f"/promotions/{waiting}")
        log_in(visitor, name)
        expect(page.get_by_role("heading", level=1)).to_contain_text(waiting[:10])
        expect(page.get_by_role("button", name="Approve")).to_have_count(buttons)
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("Approved")
    assert champion(together.b) == waiting
