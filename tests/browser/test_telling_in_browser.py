"""Telling experiences: from the keyboard alone, several in a row, with and without script."""

from __future__ import annotations

from browsing import Visitor
from desk import Desk
from playwright.sync_api import expect

from bonsai.queries.records import list_records
from storage.tables.records_table import RecordFilter


def told(desk: Desk, subject: str) -> list[str]:
    found = list_records(desk.b, RecordFilter(subject=subject), None)
    return [one.record.instruction for one in found]


def test_a_record_is_told_from_the_keyboard_alone(visitor: Visitor, desk: Desk) -> None:
    page = visitor.go("/")
    keys = page.keyboard
    tell = page.get_by_role("banner").get_by_role("link", name="Add a record")
    for _ in range(20):
        keys.press("Tab")
        if tell.evaluate("link => link === document.activeElement"):
            break
    keys.press("Enter")
    expect(page.get_by_label("Question", exact=True)).to_be_focused()
    for question in ("Why does Mike hide?", "Where does Mike hide?"):
        keys.type(question)
        keys.press("Tab")
        keys.type("Under the sofa, because of the vacuum cleaner.")
        if question.startswith("Why"):
            keys.press("Tab")
            keys.type("Mike")
        keys.press("Control+Enter")
        expect(page.get_by_role("status").filter(has_text="Record received")).to_be_visible()
        expect(page.get_by_label("Question", exact=True)).to_be_focused()
        expect(page.get_by_label("Subject")).to_have_value("Mike")
    assert sorted(told(desk, "Mike")) == ["Where does Mike hide?", "Why does Mike hide?"]


def test_tags_are_suggested_while_writing(visitor: Visitor) -> None:
    page = visitor.go("/records/new")
    page.get_by_label("Question", exact=True).fill("ミケはどこで寝ますか?")
    page.get_by_label("Answer", exact=True).fill("窓のそばの箱の中です。")
    expect(page.locator("#suggestion")).to_contain_text("Japanese")


def test_what_cannot_become_a_record_is_said_beside_what_was_typed(visitor: Visitor) -> None:
    visitor.noticed.expected.add(422)
    page = visitor.go("/records/new")
    page.get_by_label("Question", exact=True).fill("What is this?")
    page.get_by_label("Answer", exact=True).fill(" ")
    page.get_by_label("Answer", exact=True).press("Control+Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Question", exact=True)).to_have_value("What is this?")
