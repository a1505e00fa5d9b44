"""Records in the browser: found, looked at, forgotten."""

from __future__ import annotations

from browsing import Visitor
from desk import Desk
from playwright.sync_api import expect

from bonsai.domain.records import Status
from bonsai.queries.records import list_records, show_record
from storage.tables.records_table import RecordFilter

TAMA = RecordFilter(subject="タマ")


def test_a_record_is_found_and_forgotten_for_good(visitor: Visitor, desk: Desk) -> None:
    record = list_records(desk.b, TAMA, None)[0].record
    page = visitor.go("/records")
    page.get_by_label("Search text").fill("鳴く")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="なぜタマは鳴くの?").click()
    forget = page.get_by_role("button", name="Delete permanently")
    forget.click()
    assert visitor.path == f"/records/{record.id}"  # the browser asks for the tick first
    page.get_by_label("I understand").check()
    forget.click()
    expect(page.get_by_role("status")).to_contain_text("Permanently deleted")
    assert show_record(desk.b, record.id).stored.status is Status.FORGOTTEN
    expect(visitor.go("/records?text=鳴く").get_by_role("main")).to_contain_text("No record")


def test_a_record_is_kept_from_training_and_let_train_again(visitor: Visitor, desk: Desk) -> None:
    record = list_records(desk.b, TAMA, None)[0].record
    page = visitor.go(f"/records/{record.id}")
    for button, status in (("Exclude from training", Status.EXCLUDED), ("Use for training", Status.ACTIVE)):
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("status")).to_be_visible()
        assert show_record(desk.b, record.id).stored.status is status
