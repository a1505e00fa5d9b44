"""Records go in once, come out as they were, and what may train is exactly what nobody keeps back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bonsai.domain.reasons import Reason
from bonsai.domain.records import Record, Status, Tag, Tags
from bonsai.domain.snapshots import Example, Snapshot
from bonsai.errors import UnknownId, UsageError
from storage import forgetting
from storage.home import Home
from storage.scale import counters
from storage.scale.pacing import Pace
from storage.tables import personal_set_table, record_versions_table, records_table, snapshots_table
from storage.tables import records_table as table_records_table
from storage.tables.personal_set_table import PersonalItem, retired_fixed_items
from storage.tables.record_rows import NewRecord
from storage.tables.records_table import InsertCounts, RecordFilter


def put(home: Home, at: datetime, *new: NewRecord) -> InsertCounts:
    with home.database.writing() as con:
        return records_table.insert_records(con, new, "batch-1", at)


def ids_of(home: Home, wanted: RecordFilter | None = None) -> list[str]:
    with home.database.reading() as con:
        return [one.record.id for one in records_table.list_records(con, wanted)]


def snapshot_of(*ids: str) -> Snapshot:
    rows = tuple(Example(one, "own", "q", "", "", "open_qa", "en", "a") for one in ids)
    return Snapshot("5a17", "5a17" * 16, "snapshots/5a17", rows, (), 1)


@pytest.mark.parametrize("source", ["import", "person"])
def test_a_record_with_given_tags_comes_back_equal(home: Home, at: datetime, make_record, source: str) -> None:
    new = make_record("猫の名前は?\n二行目", "ミケです。", language="ja", tag_source=source, near_of="abc")
    put(home, at, new)
    with home.database.reading() as con:
        stored = records_table.get(con, new.record.id[:10])
    assert stored.record == new.record
    assert stored.tags == new.tags
    assert (stored.near_of, stored.batch, stored.created_at, stored.updated_at) == ("abc", "batch-1", at, at)


def test_guessed_tags_are_not_the_records_own(home: Home, at: datetime, make_record) -> None:
    new = make_record(tag_source="learned")
    put(home, at, new)
    with home.database.reading() as con:
        stored = records_table.get(con, new.record.id)
    assert stored.record == new.record
    assert (stored.record.language, stored.record.category, stored.record.reasoning) == (None, None, "")
    assert stored.tags.language == Tag("en", "learned", 0.5, "rules-1")


def test_importing_again_adds_nothing(home: Home, at: datetime, make_record) -> None:
    held = make_record("leak?", status=Status.HELD_BACK, reason=Reason("duplicates.leak", (("item", "i1"),)))
    new = [make_record("a"), make_record("b"), make_record("a"), held]
    assert put(home, at, *new) == InsertCounts(new=2, held_back=1, duplicate=1)
    assert put(home, at, *new) == InsertCounts(duplicate=4)
    with home.database.reading() as con:
        assert records_table.get(con, held.record.id).reason == held.reason
        assert counters.by_status(con) == {"active": 2, "held_back": 1}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.integers(0, 6), max_size=5), max_size=4))
def test_any_batches_in_any_order_store_each_record_once(home: Home, at: datetime, make_record, batches) -> None:
    before = set(ids_of(home))
    made = {number: make_record(f"q{number}") for number in range(7)}
    total = InsertCounts()
    for numbers in batches:
        total += put(home, at, *(made[number] for number in numbers))
    wanted = {made[number].record.id for numbers in batches for number in numbers}
    assert set(ids_of(home)) == before | wanted
    assert len(ids_of(home)) == len(before | wanted)
    assert total.new == len(wanted - before)
    assert total.new + total.duplicate == sum(map(len, batches))


def test_lists_filter_and_page_in_order_of_arrival(home: Home, at: datetime, make_record) -> None:
    first = make_record("About Mike")
    second = make_record("タマについて", "タマはABCを食べる", language="ja", category="creative", subject="タマ")
    third = make_record("near", near_of=first.record.id, status=Status.SUSPECT)
    put(home, at, first, second, third)
    every = [one.record.id for one in (first, second, third)]
    assert ids_of(home) == every
    assert ids_of(home, RecordFilter(language="ja")) == [every[1]]
    assert ids_of(home, RecordFilter(category="creative", subject="タマ")) == [every[1]]
    assert ids_of(home, RecordFilter(text="abc")) == [every[1]]
    assert ids_of(home, RecordFilter(near=True)) == [every[2]]
    assert ids_of(home, RecordFilter(status="suspect", batch="other")) == []
    with home.database.reading() as con:
        page = records_table.list_records(con, limit=2)
        rest = records_table.list_records(con, limit=2, after=page[-1].record.id)
        newest = records_table.newest(con, RecordFilter(), 2)
        some = RecordFilter(text="abc")
        assert (records_table.count(con, RecordFilter()), records_table.count(con, some)) == (3, 1)
        assert [one.record.id for one in records_table.newest(con, some, 2)] == [every[1]]
    assert [one.record.id for one in page + rest] == every
    assert [one.record.id for one in newest] == every[1:]


def test_an_id_must_be_known_and_its_own(home: Home, at: datetime, make_record) -> None:
    put(home, at, *(make_record(f"q{number}") for number in range(40)))
    with home.database.reading() as con:
        for prefix in ("", "zzz", "%"):
            with pytest.raises(UnknownId, match="There is no record"):
                records_table.get(con, prefix)
        with pytest.raises(UsageError, match="several ids"):
            records_table.get(con, _shared_letter(ids_of(home)))


def _shared_letter(ids: list[str]) -> str:
    letters = [identity[0] for identity in ids]
    return max(letters, key=letters.count)


def test_only_active_records_outside_the_personal_set_train(home: Home, at: datetime, make_record) -> None:
    kept, asked = make_record("kept"), make_record("asked")
    others = [make_record(status.value, status=status) for status in Status if status is not Status.ACTIVE]
    put(home, at, kept, asked, *others)
    item = PersonalItem("s1", "mike-food", {"id": "s1"}, (asked.record.id,), at)
    with home.database.writing() as con:
        before = records_table.data_hash(records_table.data_lines(con))
        assert personal_set_table.freeze(con, [item]) == 1
        assert personal_set_table.freeze(con, [replace(item, cluster="other")]) == 0
        assert personal_set_table.active_items(con) == [item]
        assert records_table.data_hash(records_table.data_lines(con)) != before
        assert [one.record.id for one in records_table.eligible(con)] == [kept.record.id]
        assert records_table.new_since(con, "none") == [kept.record.id]
        snapshots_table.add(con, snapshot_of(kept.record.id), at)
        assert records_table.new_since(con, "5a17") == []
        assert personal_set_table.retire(con, ["s1"], "stale", at) == 1
        assert records_table.new_since(con, "5a17") == [asked.record.id]
        assert personal_set_table.held_out(con) == frozenset()


def test_a_record_that_matches_an_item_retires_it(home: Home, at: datetime, make_record) -> None:
    put(home, at, make_record(retires_item="v1-17"))
    with home.database.reading() as con:
        assert retired_fixed_items(con) == {"v1-17"}


def test_an_edit_of_the_texts_keeps_the_old_record_out_of_training(home: Home, at: datetime, make_record) -> None:
    old, new = make_record(output="Mike eats tuna."), make_record(output="Mike eats salmon.")
    put(home, at, old)
    with home.database.writing() as con:
        edited = record_versions_table.edit(con, old.record.id, new, "mika", at)
        assert edited.record.output == "Mike eats salmon."
        before = records_table.get(con, old.record.id)
        assert (before.status, before.replaced_by) == (Status.EXCLUDED, new.record.id)
        assert [one.record.id for one in records_table.eligible(con)] == [new.record.id]
        (version,) = record_versions_table.versions(con, new.record.id)
        assert (version.content["output"], version.edited_by) == ("Mike eats tuna.", "mika")
        with pytest.raises(UsageError, match="was replaced by"):
            record_versions_table.release(con, old.record.id, "mika", at)


def test_an_edit_and_back_ends_where_it_began(home: Home, at: datetime, make_record) -> None:
    old, new = make_record(output="one"), make_record(output="two")
    put(home, at, old)
    with home.database.writing() as con:
        record_versions_table.edit(con, old.record.id, new, "mika", at)
        record_versions_table.edit(con, new.record.id, old, "mika", at)
        assert [one.record.id for one in records_table.eligible(con)] == [old.record.id]
        assert records_table.get(con, old.record.id).replaced_by == ""
        assert len(record_versions_table.versions(con, old.record.id)) == 2


def test_an_edit_beside_the_texts_keeps_the_id_and_a_version(home: Home, at: datetime, make_record) -> None:
    old = make_record(subject="Mike")
    put(home, at, old)
    with home.database.writing() as con:
        edited = record_versions_table.edit(con, old.record.id, make_record(subject="Tama"), "mika", at)
        assert (edited.record.id, edited.record.subject) == (old.record.id, "Tama")
        assert record_versions_table.versions(con, old.record.id)[0].content["subject"] == "Mike"


def test_a_persons_tag_survives_retagging_and_editing(home: Home, at: datetime, make_record) -> None:
    new = make_record()
    put(home, at, new)
    guessed = Tags(Tag("ja", "rule", 0.9, "2"), Tag("creative", "learned", 0.9, "2"), Tag("r", "rule", 1, "2"))
    with home.database.writing() as con:
        record_versions_table.set_tag(con, new.record.id, "category", "classification", "mika", at)
        assert record_versions_table.retag(con, {new.record.id: guessed}, at) == 2
        stored = records_table.get(con, new.record.id)
        assert stored.tags == replace(guessed, category=Tag("classification", "person", 1.0, "mika"))
        assert stored.record.category == "classification"
        edited = record_versions_table.edit(con, new.record.id, make_record(output="salmon"), "mika", at)
        assert edited.tags.category == Tag("classification", "person", 1.0, "mika")


@pytest.mark.parametrize(("weaker", "stronger"), [("rule", "learned"), ("learned", "import")])
def test_a_weaker_source_never_overwrites(home: Home, at: datetime, make_record, weaker: str, stronger: str) -> None:
    new = make_record(tag_source=stronger)
    put(home, at, new)
    tag = Tag("other", weaker, 1.0, "9")  # type: ignore[arg-type]
    with home.database.writing() as con:
        assert record_versions_table.retag(con, {new.record.id: Tags(tag, tag, tag)}, at) == 0
        assert records_table.get(con, new.record.id).tags == new.tags


@pytest.mark.parametrize(("name", "value"), [("language", "fr"), ("category", "poem"), ("reasoning", " "), ("id", "x")])
def test_a_tag_that_cannot_be_is_refused(home: Home, at: datetime, make_record, name, value: str) -> None:
    new = make_record()
    put(home, at, new)
    with home.database.writing() as con, pytest.raises(UsageError, match="cannot be"):
        record_versions_table.set_tag(con, new.record.id, name, value, "mika", at)


def test_suspects_wait_for_a_person(home: Home, at: datetime, make_record) -> None:
    active, held = make_record("a"), make_record("h", status=Status.HELD_BACK)
    put(home, at, active, held)
    ids = [active.record.id, held.record.id]
    with home.database.writing() as con:
        assert record_versions_table.mark_suspects(con, ids, "n3", at) == 1
        assert record_versions_table.mark_suspects(con, ids, "n3", at) == 0
        assert records_table.get(con, ids[0]).reason == Reason("storage.suspect_since", (("night", "n3"),))
        assert records_table.eligible(con) == []
        assert record_versions_table.release(con, ids[0], "mika", at).status is Status.ACTIVE
        assert record_versions_table.exclude(con, ids[1], "mika", at).status is Status.EXCLUDED


def test_a_forgotten_record_leaves_its_id_alone(home: Home, at: datetime, make_record) -> None:
    old, new = make_record(output="tuna secret"), make_record(output="salmon secret")
    put(home, at, old)
    with home.database.writing() as con:
        record_versions_table.edit(con, old.record.id, new, "mika", at)
        personal_set_table.freeze(con, [PersonalItem("s1", "c", {"reference": "secret"}, (new.record.id,), at)])
        gone = forgetting.forget(con, new.record.id, "mika", at)
        assert set(gone.records) == {old.record.id, new.record.id}
        assert gone.suite_items == ("s1",)
        assert records_table.get(con, new.record.id).status is Status.FORGOTTEN
        assert forgetting.forget(con, new.record.id, "mika", at) == replace(gone, suite_items=())
        for table in ("records", "record_versions", "suite_items"):
            assert "secret" not in str(con.execute(f"FROM {table}").fetchall())
    assert put(home, at, old, new, make_record("other")) == InsertCounts(new=1, forgotten=2)
    with home.database.writing() as con, pytest.raises(UsageError, match="permanently deleted"):
        record_versions_table.release(con, new.record.id, "mika", at)


def test_the_index_holds_only_the_newest_texts(home: Home, at: datetime, make_record) -> None:
    old, new, gone = make_record(output="one"), make_record(output="two"), make_record("gone")
    put(home, at, old, gone)
    with home.database.writing() as con:
        record_versions_table.edit(con, old.record.id, new, "mika", at)
        forgetting.forget(con, gone.record.id, "mika", at)
        (row,) = table_records_table.index_rows(con)
    record: Record = new.record
    assert (row.id, row.output, row.question_key, row.status) == (record.id, "two", new.question_key, Status.ACTIVE)


def test_short_transactions_add_up(home: Home, at: datetime, make_record) -> None:
    new = [make_record(f"q{number}") for number in range(25)]
    assert records_table.insert_paced(home.database, [*new, new[0]], "b", at, Pace(rows=10)) == InsertCounts(25, 0, 1)
    assert ids_of(home) == [one.record.id for one in new]
