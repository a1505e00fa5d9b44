"""Records put in order: edited with versions, tagged by keyboard, contradictions settled with one click."""

from __future__ import annotations

import pytest
from browsing import Visitor
from desk import NOW, Desk
from playwright.sync_api import expect

from bonsai.actions.inbox import submit
from bonsai.domain.records import Status
from bonsai.queries.records import count_records, list_records, show_record
from storage.tables import subjects
from storage.tables.records_table import RecordFilter


def tell(desk: Desk, *records: tuple[str, str]) -> None:
    for question, answer in records:
        submit(desk.b, {"instruction": question, "output": answer, "source": "self"}, NOW)
        desk.drain()


def test_an_edit_keeps_the_version_before(visitor: Visitor, desk: Desk) -> None:
    [stored] = list_records(desk.b, RecordFilter(subject="タマ"), None)
    page = visitor.go(f"/records/{stored.record.id}")
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Answer", exact=True).fill("ひまだからです。")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("main")).to_contain_text("ひまだからです。")
    page.get_by_role("link", name="Version history").click()
    expect(page.get_by_role("main")).to_contain_text("おなかがすいた")


def test_uncertain_tags_are_settled_from_the_keyboard(visitor: Visitor, desk: Desk) -> None:
    tell(desk, ("01234", "05678"), ("11234", "15678"))  # no language and no question
    uncertain = count_records(desk.b, RecordFilter(uncertain=True))
    assert uncertain >= 2
    page = visitor.go("/tagging")
    for tagged in range(uncertain):
        expect(page.get_by_text(f"{tagged} tagged")).to_be_visible()
        page.wait_for_load_state()
        page.keyboard.press("1")
    expect(page.get_by_role("main")).to_contain_text("There are no uncertain tags left")
    assert count_records(desk.b, RecordFilter(uncertain=True)) == 0


def test_a_contradiction_is_settled_with_one_click(visitor: Visitor, desk: Desk) -> None:
    tell(desk, ("How old is Kinako?", "Kinako is 7."), ("How old is Kinako?", "Kinako is 8."))
    [held] = list_records(desk.b, RecordFilter(text="Kinako", status=Status.HELD_BACK.value), None)
    page = visitor.go("/")
    page.get_by_role("link", name="Contradicting records: 1").click()
    pair = page.get_by_role("region", name="Pair 1")
    expect(pair.locator("mark")).to_have_text(["8", "7"])
    pair.get_by_role("button", name="Keep this record").click()
    expect(page.get_by_role("status")).to_be_visible()
    assert show_record(desk.b, held.record.id).stored.status is Status.ACTIVE


def test_the_same_thing_long_before_comes_by_itself(
    visitor: Visitor, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subjects, "PART_RECORDS", 1)  # a long past
    for day, often in (("2024-03-02", "a week"), ("2024-04-01", ""), ("2024-05-01", ""), ("2026-03-12", "days again")):
        said = f"She sneezed for {often}; the vet said dust." if often else f"Tuna on {day}, eagerly."
        fields = {"instruction": f"What happened to Hana on {day}?", "output": said, "subject": "Hana"}
        submit(desk.b, {**fields, "happened_on": day, "source": "self"}, NOW)
    desk.drain()
    page = visitor.go("/timeline?subject=Hana")
    expect(page.get_by_role("listitem").filter(has_text="days again")).to_contain_text("2 years earlier:")
    expect(page.get_by_text("All earlier records were searched.")).to_be_visible()
    expect(page.get_by_role("button", name="Find similar events from the past")).to_have_count(0)
