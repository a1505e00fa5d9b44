"""Asking: the answer comes by itself while one waits; a thumb and a correction by keyboard; all without script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from browsing import PHONE, Open, Visitor
from desk import Desk
from hand_client import HandClient
from playwright.sync_api import expect

from bonsai.queries.records import list_records
from storage.tables.records_table import RecordFilter


@pytest.fixture
def inference() -> Iterator[HandClient]:
    made = HandClient()
    yield made
    made.may_speak.set()


@pytest.fixture
def desk(desk: Desk, inference: HandClient) -> Desk:
    return Desk(replace(desk.b, inference=inference))


def test_an_answer_comes_while_one_waits_and_is_put_right_from_the_keyboard(
    visitor: Visitor, desk: Desk, inference: HandClient
) -> None:
    page = visitor.go("/ask")
    expect(page.get_by_label("Your question")).to_be_focused()
    page.keyboard.type("Where does Tama sleep?")
    page.get_by_label("Compare with").select_option("base")
    page.get_by_label("Your question").press("Control+Enter")
    expect(page.get_by_role("status")).to_contain_text("answering")
    inference.may_speak.set()
    expect(page.get_by_text("It is scratching. (base)").first).to_be_visible()
    page.get_by_role("button", name="Not good").first.press("Enter")
    expect(page.get_by_text("Rated by mika: Not good")).to_be_visible()
    better = page.get_by_label("Answer", exact=True).first
    expect(better).to_have_value("")
    better.fill("Tama sleeps in the sink.")
    better.press("Control+Enter")
    expect(page.get_by_role("status")).to_contain_text("Correction received")
    found = list_records(desk.b, RecordFilter(text="in the sink"), None)
    assert [(one.record.instruction, one.record.source) for one in found] == [("Where does Tama sleep?", "feedback")]


def test_without_script_one_looks_again(visit: Open, address: str, inference: HandClient) -> None:
    inference.says = "こたつで寝ています。"
    visitor = visit(address, language="ja", size=PHONE, scripts=False)
    page = visitor.go("/ask")
    page.get_by_label("質問", exact=True).fill("タマはどこで寝ますか?")
    page.get_by_role("button", name="質問する").click()
    expect(page.get_by_role("status")).to_be_visible()
    inference.may_speak.set()
    for _ in range(100):
        if page.get_by_text("こたつで寝ています。 (base)").count():
            break
        page.get_by_role("link", name="更新する").click()
        page.wait_for_timeout(50)
    expect(page.get_by_text("こたつで寝ています。 (base)").first).to_be_visible()
    assert visitor.overflow == 0
