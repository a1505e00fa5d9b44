"""Edits below the pages: who may overwrite whom, what is judged anew, which records are like it."""

from __future__ import annotations

import shutil
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from bonsai import bootstrap
from bonsai.actions.edit import edit_record, exclude_records, restore_version
from bonsai.actions.inbox import drain_inbox, submit
from bonsai.actions.tag import tag_record, tag_records, undo_tags
from bonsai.context import Bonsai
from bonsai.domain.records import Status
from bonsai.errors import ConflictError, UnknownId, UsageError
from bonsai.queries.records import count_records, list_records, show_record
from bonsai.queries.similar import similar_to
from storage.tables import records_table
from storage.tables.record_rows import etag
from storage.tables.records_table import SORTS, RecordFilter, Sort

TOLD = (
    ("Why does Mike sneeze?", "Dust in the litter.", "Mike", "2024-11-01"),
    ("What happened to Mike in March?", "He sneezed for a week; the vet said it was the dust.", "Mike", "2026-03-09"),
    ("Where does Tama sleep?", "In the sink.", "Tama", ""),
    ("What is the capital of Norway?", "Oslo.", "", ""),
    ("どうして三毛はくしゃみをするの?", "トイレの砂ぼこりのせいです。", "三毛", "2025-05-05"),
)  # fmt: skip


@pytest.fixture
def b(taught_home: Path, tmp_path: Path, at: datetime) -> Bonsai:
    made = bootstrap.open(Path(shutil.copytree(taught_home, tmp_path / "home")), {})
    for question, answer, subject, day in TOLD:
        told = {"instruction": question, "output": answer, "subject": subject, "happened_on": day}
        submit(made, told, at)
        drain_inbox(made, at)
    return made


def by_question(b: Bonsai, question: str) -> str:
    (found,) = [one for one in list_records(b, RecordFilter(text=question), None) if not one.replaced_by]
    return found.record.id


def test_an_edit_is_refused_when_another_came_between(b: Bonsai, at: datetime) -> None:
    mike = show_record(b, by_question(b, "Why does Mike")).stored
    seen = etag(mike)
    new = edit_record(b, mike.record.id, {"output": "Pollen."}, "mika", at, seen)
    with pytest.raises(ConflictError):
        edit_record(b, mike.record.id, {"output": "Cold air."}, "joe", at, seen)
    edit_record(b, new, {"feeling": "worried"}, "mika", at)
    with pytest.raises(ConflictError):
        edit_record(b, new, {"output": "Cold air."}, "joe", at, seen)
    assert show_record(b, new).stored.record.output == "Pollen."


def test_other_words_are_judged_against_what_asks_the_same(b: Bonsai, at: datetime) -> None:
    new = edit_record(b, by_question(b, "Norway"), {"instruction": "Where does Tama sleep?"}, "mika", at)
    stored = show_record(b, new).stored
    assert (stored.status, stored.reason and stored.reason.key) == (Status.HELD_BACK, "duplicates.contradiction")
    near = edit_record(b, new, {"instruction": "Where does our Tama sleep?", "output": "In the sink!"}, "mika", at)
    assert show_record(b, near).stored.near_of == by_question(b, "Where does Tama")
    with pytest.raises(UsageError):
        edit_record(b, near, {"instruction": "Where does Tama sleep?", "output": "In the sink."}, "mika", at)


def test_a_note_alone_keeps_id_and_standing(b: Bonsai, at: datetime) -> None:
    tama = by_question(b, "Where does Tama")
    exclude_records(b, [tama], "mika", at)
    assert edit_record(b, tama, {"subject": "Tama the cat", "language": "ja"}, "mika", at) == tama
    stored = show_record(b, tama).stored
    assert (stored.record.subject, stored.status) == ("Tama the cat", Status.EXCLUDED)
    assert stored.tags.language.source == "person"
    assert stored.tags.reasoning.value == "The question is in English; answer in Japanese."


def test_tags_can_be_taken_back_until_somebody_says_more(b: Bonsai, at: datetime) -> None:
    tama = show_record(b, by_question(b, "Where does Tama")).stored
    kept = tag_record(b, tama.record.id, category="creative", by="mika", now=at)
    undo_tags(b, tama.record.id, kept, "mika", at)
    assert show_record(b, tama.record.id).stored.tags == tama.tags
    with pytest.raises(ConflictError):
        undo_tags(b, tama.record.id, kept, "mika", at)


def test_an_earlier_version_brings_its_own_tags_back(b: Bonsai, at: datetime) -> None:
    tama = show_record(b, by_question(b, "Where does Tama")).stored
    tag_record(b, tama.record.id, category="creative", language="ja", by="mika", now=at)
    new = edit_record(b, tama.record.id, {"output": "On the piano."}, "mika", at)
    assert show_record(b, new).stored.tags.category.source == "person"
    assert restore_version(b, new, 1, "mika", at) == tama.record.id
    stored = show_record(b, tama.record.id).stored
    assert (stored.tags, stored.record, stored.status) == (tama.tags, tama.record, tama.status)
    assert len(show_record(b, tama.record.id).versions) == 3


def test_several_are_tagged_together_or_not_at_all(b: Bonsai, at: datetime) -> None:
    ids = [by_question(b, "Norway"), by_question(b, "Where does Tama")]
    with pytest.raises(UnknownId):
        tag_records(b, [*ids, "ffff"], {"category": "creative"}, "mika", at)
    assert {show_record(b, one).stored.tags.category.source for one in ids} != {"person"}
    assert tag_records(b, ids, {"category": "creative"}, "mika", at) == 2
    assert {show_record(b, one).stored.tags.category.value for one in ids} == {"creative"}


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_shows_each_record_once(b: Bonsai, sort: Sort, at: datetime) -> None:
    found: list[str] = []
    with b.database.reading() as con:
        while shown := records_table.sorted_page(con, RecordFilter(), 2, sort, found[-1] if found else ""):
            found += [one.record.id for one in shown]
    assert len(found) == len(set(found)) == len(TOLD)
    stored = {one.record.id: one for one in list_records(b, RecordFilter(), None)}
    days = [stored[one].record.happened_on or stored[one].created_at.date() for one in found]
    names = [stored[one].record.subject or "\U0010ffff" for one in found]
    arrived = [list(stored).index(one) for one in found]
    expected = {
        "newest": arrived == sorted(arrived, reverse=True),
        "oldest": arrived == sorted(arrived),
        "happened": days == sorted(days, reverse=True),
        "subject": names == sorted(names),
    }
    assert expected[sort]


def test_days_bound_a_list(b: Bonsai, at: datetime) -> None:
    march = RecordFilter(since=date(2026, 3, 1), until=date(2026, 3, 31))
    assert [one.record.subject for one in list_records(b, march, None)] == ["Mike"]
    today = RecordFilter(since=at.date(), until=(at + timedelta(days=1)).date())
    assert count_records(b, today) == 2  # those without a day happened when they were told


def test_the_likest_records_are_found_in_either_language(b: Bonsai) -> None:
    first = similar_to(b, "Was Mike sneezing because of dust?")
    assert first[0].subject == "Mike"
    assert {one.subject for one in first} == {"Mike", "三毛"}, "who sneezes too: くしゃみ"
    assert [one.subject for one in similar_to(b, "三毛がくしゃみをしている")] == ["三毛"]
    by_id = similar_to(b, by_question(b, "Why does Mike"))
    assert by_id[0].instruction == "What happened to Mike in March?"
    assert similar_to(b, "%_'; DROP TABLE records") == ()
    with pytest.raises(UsageError):
        similar_to(b, " ")
    with pytest.raises(UnknownId):
        similar_to(b, "0123456789abcdef")
