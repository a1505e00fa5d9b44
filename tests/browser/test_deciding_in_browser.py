"""A reviewer's way: from the first page to a decision, and back again."""

from __future__ import annotations

import re

from browsing import PHONE, Open, Visitor
from desk import Desk
from playwright.sync_api import expect

from bonsai.queries.promotions import champion, list_promotions


def test_two_clicks_from_the_first_page_approve(visitor: Visitor, desk: Desk) -> None:
    waiting = list_promotions(desk.b)[0].adapter
    page = visitor.go("/")
    page.get_by_role("link", name=re.compile("awaiting a decision")).click()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("Approved")
    assert champion(desk.b) == waiting


def test_back_and_forth_and_the_history_says_who_and_why(visitor: Visitor, desk: Desk) -> None:
    waiting = list_promotions(desk.b)[0].adapter
    page = visitor.go(f"/promotions/{waiting}")
    for button, reason in (
        ("Approve", "better on cats"),
        ("Roll back", "odd answers"),
        ("Restore as champion", "a slip"),
    ):
        page.get_by_label("Reason").fill(reason)
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("status")).to_be_visible()
    lines = visitor.go("/promotions").locator("section").filter(has_text="chain is intact").get_by_role("row")
    expect(lines).to_have_count(4)
    expect(lines.filter(has_text="odd answers")).to_contain_text("mika")
    assert champion(desk.b) == waiting


def test_a_refusal_on_the_phone_in_japanese_without_script(visit: Open, address: str, desk: Desk) -> None:
    waiting = list_promotions(desk.b)[0].adapter
    page = visit(address, language="ja", size=PHONE, scripts=False).go("/promotions")
    page.get_by_role("link", name=waiting[:10]).first.click()
    page.get_by_role("button", name="却下する").click()
    expect(page.get_by_role("status")).to_contain_text("却下しました")
    assert champion(desk.b) == "base"


def test_what_the_gate_refused_needs_a_reason(visitor: Visitor, desk: Desk) -> None:
    visitor.noticed.expected.add(409)
    desk.night(bits=2.3, day=1)
    refused = list_promotions(desk.b)[0].adapter
    page = visitor.go(f"/promotions/{refused}")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("alert")).to_contain_text("did not recommend")
    page.get_by_label("Reason").fill("I know better")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("Approved")
    assert champion(desk.b) == refused
