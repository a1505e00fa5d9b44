"""A value in an address that is none of ours is refused with those that are, and never passed over."""

from __future__ import annotations

import pytest
from desk import Desk
from html_pages import Page
from starlette.testclient import TestClient

from bonsai.queries.promotions import list_promotions
from bonsai.queries.records import list_records
from storage.tables.records_table import RecordFilter

WRONG = ("x", "-1", "1e9", "²", "9" * 5_000, "٣", "2026-02-30", "<script>alert(1)</script>")
RECORDS = ("language", "category", "status", "source", "since", "until", "uncertain", "sort")


@pytest.mark.parametrize("value", WRONG)
def test_lists_and_files_of_records_take_no_filter_that_there_is_not(client: TestClient, value: str) -> None:
    for name in RECORDS:
        answers = [client.get(path, params={name: value}) for path in ("/records", "/records/export")]
        if name == "sort":  # a file has no order
            answers.pop()
        assert {one.status_code for one in answers} == {422}, name
        page = Page(answers[0].text)
        assert page.problems == []
        assert "Valid values" in page.all("main")[0].text


@pytest.mark.parametrize("value", WRONG)
def test_other_lists_say_what_they_take(desk: Desk, client: TestClient, value: str) -> None:
    adapter = list_promotions(desk.b)[0].adapter
    for path in (
        "/pairs?kind=",
        "/subjects?fewer=",
        "/nights?month=",
        f"/promotions/{adapter}/answers?from=",
        f"/promotions/{adapter}/data?kind=",
        *(f"/promotions/{adapter}/answers/all?{name}=" for name in ("language", "topic", "turn", "right")),
        f"/adapters/{adapter}?after=",
        f"/adapters/{adapter}?check=",
    ):
        start, _, name = path.rstrip("=").partition("?")
        assert client.get(start, params={name: value}).status_code == 422, path


@pytest.mark.parametrize("month", ["0001-01", "1969-12", "9999-12", "2026-13", "2026-00", "202602", "2026-2"])
def test_months_that_no_calendar_shows(client: TestClient, month: str) -> None:
    assert client.get("/nights", params={"month": month}).status_code == 422


def test_what_is_valid_is_taken(client: TestClient) -> None:
    for query in ("language=ja&category=uncategorised&status=held_back&sort=oldest&uncertain=1", "since=2026-11-01"):
        assert client.get(f"/records?{query}").status_code == 200
    assert client.get("/nights?month=2026-02").status_code == 200


def test_a_version_of_a_number_that_there_is_not(desk: Desk, client: TestClient) -> None:
    record = list_records(desk.b, RecordFilter(), 1)[0].record.id
    for number in ("9" * 5_000, "x", "²"):
        assert client.post(f"/records/{record}/restore", data={"number": number}).status_code == 422
