"""Editing on the page: nothing that was typed or told is lost, whoever is faster."""

from __future__ import annotations

from desk import EVIL, NOW, Desk
from html_pages import Page
from starlette.testclient import TestClient

from bonsai.actions.edit import edit_record, exclude_records
from bonsai.actions.forget import forget_records
from bonsai.queries.records import list_records, show_record
from storage.tables.record_rows import StoredRecord, etag, fields_of
from storage.tables.records_table import RecordFilter


def tama(desk: Desk) -> StoredRecord:
    [one] = [one for one in list_records(desk.b, RecordFilter(subject="タマ"), None) if not one.replaced_by]
    return one


def form_of(page: Page) -> dict[str, str]:
    """What a browser would send back, the selects left out: they are as they were."""
    inputs = {one.attributes["name"]: one.attributes.get("value", "") for one in page.all("input")}
    return inputs | {one.attributes["name"]: one.text for one in page.all("textarea")}


def test_the_form_is_filled_in_and_saving_keeps_the_version_before(desk: Desk, client: TestClient) -> None:
    one = tama(desk)
    page = Page(client.get(f"/records/{one.record.id}/edit").text)
    given = form_of(page)
    assert page.problems == []
    assert {name: given[name] for name in ("instruction", "output", "subject")} == {
        "instruction": "なぜタマは鳴くの?", "output": "おなかがすいたからです。", "subject": "タマ",
    }  # fmt: skip
    answer = client.post(
        f"/records/{one.record.id}/edit",
        data={**given, "output": EVIL, "feeling": "sorry", "happened_on": "2026-11-19", "category": "creative"},
    )
    assert answer.status_code == 200
    stored = tama(desk)
    assert (stored.record.output, stored.record.feeling, str(stored.record.happened_on)) == (
        EVIL,
        "sorry",
        "2026-11-19",
    )
    assert (stored.tags.category.value, stored.tags.category.source) == ("creative", "person")
    assert stored.created_at == one.created_at
    versions = Page(client.get(f"/records/{stored.record.id}/versions").text)
    assert versions.problems == []
    assert "おなかがすいたからです。" in "".join(mark.text for mark in versions.all("mark"))


def test_whoever_comes_second_sees_both_texts_and_overwrites_nothing(desk: Desk) -> None:
    one = tama(desk)
    mika, joe = desk.client("mika"), desk.client("joe")
    path = f"/records/{one.record.id}/edit"
    both = form_of(Page(mika.get(path).text))
    assert mika.post(path, data={**both, "output": "眠いからです。"}).status_code == 200
    refused = joe.post(path, data={**both, "output": "さびしいからです。"})
    page = Page(refused.text)
    assert (refused.status_code, page.problems) == (409, [])
    assert page.all("textarea")[1].text == "さびしいからです。"
    assert [mark.text for mark in page.all("mark")] == ["さびし", "眠"]
    assert tama(desk).record.output == "眠いからです。"
    again = joe.post(
        next(f.attributes["action"] for f in page.all("form") if "edit" in f.attributes["action"]), data=form_of(page)
    )
    assert again.status_code == 200
    assert tama(desk).record.output == "さびしいからです。"
    assert len(show_record(desk.b, tama(desk).record.id).versions) == 2


def test_a_text_that_cannot_be_saved_comes_back_in_the_form(desk: Desk, client: TestClient) -> None:
    one = tama(desk)
    path = f"/records/{one.record.id}/edit"
    given = form_of(Page(client.get(path).text))
    for wrong in ({"happened_on": "2026-02-30"}, {"instruction": " "}, {"category": "nonsense"}):
        answer = client.post(path, data={**given, "output": EVIL, **wrong})
        assert (answer.status_code, Page(answer.text).all("textarea")[1].text) == (422, EVIL), wrong
    forget_records(desk.b, [one.record.id], "joe", NOW)
    answer = client.post(path, data={**given, "output": EVIL})
    assert (answer.status_code, Page(answer.text).all("textarea")[1].text) == (409, EVIL)
    assert fields_of(show_record(desk.b, one.record.id).stored)["output"] == ""


def test_an_earlier_version_comes_back_and_the_one_between_stays(desk: Desk, client: TestClient) -> None:
    one = tama(desk)
    new = edit_record(desk.b, one.record.id, {"output": "眠いから。", "feeling": "sad"}, "mika", NOW)
    page = Page(client.get(f"/records/{new}/versions").text)
    restore = next(form for form in page.all("form") if form.attributes["action"].endswith("/restore"))
    given = {name: value for name, value in form_of(page).items() if name in ("number", "seen")}
    assert client.post(restore.attributes["action"], data=given).status_code == 200
    stored = tama(desk)
    assert fields_of(stored) == fields_of(one)
    assert [one.content["output"] for one in show_record(desk.b, stored.record.id).versions] == [
        "おなかがすいたからです。", "眠いから。",
    ]  # fmt: skip
    late = client.post(f"/records/{new}/restore", data=given)
    assert late.status_code == 409
    assert client.post(restore.attributes["action"], data={"number": "9"}).status_code in (409, 422)


def test_what_nobody_changed_makes_no_version(desk: Desk, client: TestClient) -> None:
    one = tama(desk)
    client.post(f"/records/{one.record.id}/edit", data={**fields_of(one), "seen": etag(one)})
    assert show_record(desk.b, one.record.id).versions == ()
    exclude_records(desk.b, [one.record.id], "joe", NOW)
    assert etag(tama(desk)) == etag(one)  # its standing is not what is edited
