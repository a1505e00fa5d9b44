"""The way to the rooms: a row on a desk; on a phone a menu, which needs neither script nor mouse."""

from __future__ import annotations

import pytest
from browsing import PHONE, Open, Visitor
from playwright.sync_api import expect


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_on_a_phone_the_rooms_are_a_menu_by_keyboard(visit: Open, address: str, scripts: bool) -> None:
    page = visit(address, language="ja", size=PHONE, scripts=scripts).go("/")
    menu, rooms = page.get_by_role("button", name="メニュー"), page.get_by_role("navigation", name="メインメニュー")
    expect(rooms).not_to_be_visible()
    for _ in range(3):  # past the skip link and the name
        page.keyboard.press("Tab")
    expect(menu).to_be_focused()
    page.keyboard.press("Enter")
    expect(rooms).to_be_visible()
    page.keyboard.press("Escape")
    expect(rooms).not_to_be_visible()
    expect(menu).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(rooms.get_by_role("link", name="昇格")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("昇格")
    expect(rooms).not_to_be_visible()


def test_on_a_desk_they_are_a_row(visitor: Visitor) -> None:
    page = visitor.go("/nights")
    expect(page.get_by_role("button", name="Menu")).not_to_be_visible()
    expect(page.get_by_role("navigation", name="Pages").get_by_role("link", name="Nights")).to_be_visible()
    expect(page.get_by_role("link", name="日本語")).to_be_visible()
