"""Entering records: categories by key, warnings, what became of the last ones; a file with bad lines, one repaired."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import PHONE, Open, Visitor, serving
from desk import NOW, Desk
from playwright.sync_api import Page, expect

from bonsai.queries.records import list_records
from bonsai.web.app import create_app
from storage.tables.records_table import RecordFilter

CATS = "question,answer,cat\nWhere does Pochi sleep?,In the box.,Pochi\nPochi?,\nポチは何色?,灰色です。,ポチ\n"


@pytest.fixture
def slow_address(desk: Desk) -> Iterator[str]:
    """Of a dashboard that takes nothing in by itself."""
    made = create_app(desk.b, clock=lambda: NOW, owner="mika", drain=lambda: None, hosts=["127.0.0.1"])
    with serving(made) as home:
        yield home


@pytest.fixture
def cats(tmp_path: Path) -> Path:
    path = tmp_path / "cats.csv"
    path.write_text(CATS, "cp932")
    return path


def write(page: Page, question: str, answer: str) -> None:
    page.get_by_label("Question", exact=True).fill(question)
    page.get_by_label("Answer", exact=True).fill(answer)


def test_another_likely_category_is_one_key_away_and_a_persons(visitor: Visitor, desk: Desk) -> None:
    page = visitor.go("/records/new")
    write(page, "What does Pochi eat?", "Dry food, twice a day.")
    page.get_by_role("button", name="Alt+1").wait_for()
    page.keyboard.press("Alt+1")
    chosen = page.get_by_label("Category", exact=True).input_value()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#recent")).to_contain_text("What does Pochi eat?")
    [stored] = list_records(desk.b, RecordFilter(text="What does Pochi eat?"), None)
    assert (stored.tags.category.value, stored.tags.category.source) == (chosen, "person")
    assert stored.tags.language.source == "rule"  # not touched, so it stayed automatic


def test_a_contradiction_is_said_while_writing_and_its_state_afterwards(
    visit: Open, slow_address: str, desk: Desk
) -> None:
    visitor = visit(slow_address)
    page = visitor.go("/records/new")
    write(page, "なぜタマは鳴くの?", "さびしいからです。")
    expect(page.locator("#before")).to_contain_text("おなかがすいた")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#recent")).to_contain_text("being added")
    desk.drain()
    expect(page.locator("#recent")).to_contain_text("held back")  # nobody reloaded the page


def test_a_file_with_bad_lines_is_looked_at_taken_in_and_repaired(
    visit: Open, slow_address: str, desk: Desk, cats: Path
) -> None:
    visitor = visit(slow_address, size=PHONE)
    page = visitor.go("/records/upload")
    page.get_by_label("File").set_input_files(cats)
    page.get_by_role("button", name="Upload and preview").click()
    expect(page.get_by_role("main")).to_contain_text("Lines to be rejected: 1.")
    expect(page.get_by_role("main")).to_contain_text("CP932")
    assert visitor.overflow == 0
    page.get_by_role("button", name="Add the records").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    desk.drain()
    expect(page.get_by_role("row", name="Rejected")).to_contain_text("1")  # nobody reloaded the page
    page.get_by_role("link", name="Rejected lines").click()
    page.get_by_role("link", name="cats.csv:3").click()
    expect(page.locator("textarea:focus, input:focus")).to_be_visible()
    page.keyboard.press("End")
    page.keyboard.type("A dog.,Pochi")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("status")).to_contain_text("Repaired")
    desk.drain()
    found = list_records(desk.b, RecordFilter(subject="Pochi"), None)
    assert [one.record.output for one in found] == ["In the box.", "A dog."]


def test_a_file_is_taken_in_without_script_too(visit: Open, address: str, desk: Desk, cats: Path) -> None:
    page = visit(address, scripts=False).go("/records/upload")
    page.get_by_label("File").set_input_files(cats)
    page.get_by_role("button", name="Upload and preview").click()
    page.get_by_role("button", name="Add the records").click()
    expect(page.get_by_role("row", name="New")).to_contain_text("2")


def test_a_wrong_file_is_said_beside_the_field(visitor: Visitor, tmp_path: Path) -> None:
    visitor.noticed.expected.add(422)
    (tmp_path / "cats.zip").write_bytes(b"PK\x03\x04\0\0")
    page = visitor.go("/records/upload")
    page.get_by_label("File").set_input_files(tmp_path / "cats.zip")
    page.get_by_role("button", name="Upload and preview").click()
    expect(page.get_by_role("alert")).to_contain_text("cats.zip is a binary file")
