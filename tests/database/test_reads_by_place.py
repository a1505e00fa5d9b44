"""What pages read of many records is what a plain look at all of them gives: timelines, snapshots, what changed."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from bonsai import bootstrap
from bonsai.actions.tag import UNCERTAIN, next_uncertain
from bonsai.context import Bonsai
from bonsai.domain.records import Status
from bonsai.domain.snapshots import Example, Snapshot
from bonsai.ingest.dedup.ngrams import nearest
from bonsai.queries import timeline
from storage import forgetting
from storage.connect import Connection
from storage.home import Home
from storage.tables import (
    adapters_table,
    data_changes,
    record_versions_table,
    records_table,
    settled_pairs_table,
    snapshots_table,
    subjects,
)
from storage.tables import settled_pairs_table as table_settled_pairs_table
from storage.tables.adapters_table import Adapter, learned_records
from storage.tables.record_rows import NewRecord, StoredRecord
from storage.tables.records_table import RecordFilter, by_sequence

SNEEZED = "She sneezed for a whole week, and the vet said that it was the dust of the heater."


@pytest.fixture
def b(home: Home) -> Bonsai:
    return bootstrap.open(home.root, {})


@pytest.fixture
def told(home: Home, at: datetime, make_record, monkeypatch: pytest.MonkeyPatch) -> list[StoredRecord]:
    """200 records about three subjects in no order, some undated, replaced, forgotten; parts of 16 records."""
    monkeypatch.setattr(subjects, "PART_RECORDS", 16)
    rng = random.Random(3)
    with home.database.writing() as con:
        made = [dated(make_record, rng, number) for number in range(200)]
        records_table.insert_records(con, made, "batch", at)
        for number in (3, 60, 150):
            forgetting.forget(con, made[number].record.id, "mika", at)
            edited = make_record(f"Edited {number}?", "Otherwise.", subject="Mike")
            record_versions_table.edit(con, made[number + 1].record.id, edited, "mika", at)
        return records_table.list_records(con)


def dated(make_record, rng: random.Random, number: int) -> NewRecord:
    said = SNEEZED if number in (5, 198) else f"Thing {rng.random()} of {rng.random()} with {rng.random()}."
    made = make_record(f"What happened at {number}?", said, subject=rng.choice(("Mike", "Tama", "")))
    day = None if number % 9 == 0 else date(2024, 1, 1) + timedelta(days=rng.randrange(700))
    if said == SNEEZED:
        day = date(2024, 2, 1) if number == 5 else date(2026, 11, 1)
        return replace(made, record=replace(made.record, subject="Mike", happened_on=day))
    return replace(made, record=replace(made.record, happened_on=day))


def day_of(one: StoredRecord) -> date:
    return one.record.happened_on or one.created_at.date()


def current(found: list[StoredRecord], subject: str) -> list[StoredRecord]:
    """In the order of a timeline."""
    mine = [one for one in found if one.record.subject == subject and not one.replaced_by]
    mine = [one for one in mine if one.status is not Status.FORGOTTEN]
    return sorted(reversed(mine), key=day_of, reverse=True)


def test_the_pages_of_a_timeline_are_all_that_is_told_in_order(home: Home, told: list[StoredRecord]) -> None:
    with home.database.reading() as con:
        for subject in ("Mike", "Tama"):
            ids, after = list[str](), ""
            while found := subjects.events(con, subject, 7, after):
                ids, after = [*ids, *(one.id for one in found)], found[-1].id
            assert ids == [one.record.id for one in current(told, subject)]
            assert len(ids) > 50


def test_the_parts_of_a_past_are_all_that_was_told_until_then(home: Home, told: list[StoredRecord]) -> None:
    until = date(2025, 3, 1)
    wanted = {one.record.id for one in current(told, "Tama") if day_of(one) <= until}
    with home.database.reading() as con:
        parts = subjects.past_parts(con, "Tama", until)
        found = [[one.id for one in subjects.events_in(con, part.number, "Tama", until)] for part in parts]
    assert len(parts) > 5
    assert [len(ids) for ids in found] == [part.records for part in parts]
    assert sorted(one for ids in found for one in ids) == sorted(wanted)


def test_the_whole_past_is_looked_through_for_the_same_thing(
    b: Bonsai, told: list[StoredRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "READ_SECONDS", 60.0)
    first = timeline.timeline(b, "Mike", 10)
    assert (first.unread is not None, [one.earlier for one in first.entries]) == (True, [()] * 10)
    mine = current(told, "Mike")
    until = day_of(mine[0]) - timedelta(days=timeline.MIN_DAYS_APART)
    past = sorted((one for one in mine if day_of(one) <= until), key=told.index, reverse=True)
    compared = [*past, *(one for one in mine[:10] if one not in past)]
    asked, texts = [words(one) for one in mine[:10]], [words(one) for one in compared]
    likely = nearest(asked, texts, most=len(texts), at_least=0.3)
    expected = []
    for one, near in zip(mine[:10], likely, strict=True):
        old = [compared[n.number] for n in near if n.number < len(past)]
        long_ago = [o.record.id for o in old if (day_of(one) - day_of(o)).days >= timeline.MIN_DAYS_APART]
        expected.append(long_ago[: timeline.MAX_EARLIER])
    found = timeline.timeline(b, "Mike", 10, past=first.unread)
    assert found.unread is None
    assert [[o.event.id for o in one.earlier] for one in found.entries] == expected
    assert [o.event.output for one in found.entries for o in one.earlier][:1] == [SNEEZED]


def words(one: StoredRecord) -> str:
    return f"{one.record.instruction} {one.record.output}"


def test_a_long_past_is_looked_through_some_at_a_time(
    b: Bonsai, told: list[StoredRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "MAX_COMPARED_ON_REQUEST", 12)
    found, places = timeline.timeline(b, "Mike", 3), []
    while found.unread is not None:
        places.append(found.unread)
        found = timeline.timeline(b, "Mike", 3, past=found.unread)
    assert places == sorted(places, reverse=True)
    assert len(places) > 3
    entries = timeline.whole_timeline(b, "Mike", 20)
    met = [(one.event.day, [o.event.day for o in one.earlier][:1]) for one in entries if one.event.output == SNEEZED]
    assert met == [(date(2026, 11, 1), [date(2024, 2, 1)])]


def snapshot(con: Connection, name: str, ids: list[str], at: datetime) -> None:
    examples = tuple(Example(one, "own", "q", "", "", "open_qa", "en", "a") for one in ids)
    snapshots_table.add(con, Snapshot(name, name * 16, "", examples, (), 1), at)
    adapter = Adapter(f"a-{name}", "seedling", name, "", {}, at)
    adapters_table.add(con, adapter)


def test_what_changed_is_what_two_snapshots_differ_in(
    home: Home, told: list[StoredRecord], at: datetime, make_record
) -> None:
    rng = random.Random(5)
    ids = [one.record.id for one in told if not one.replaced_by]
    old = rng.sample(ids, 90)
    kept = rng.sample(old, 60)
    gone = [one for one in old if one not in kept]
    with home.database.writing() as con:
        live = [one for one in gone if records_table.get(con, one).status is Status.ACTIVE]
        edited = make_record("What happened after all?", "Something else.")
        record_versions_table.edit(con, live[0], edited, "mika", at)
        new = rng.sample([one for one in ids if one not in old], 40)
        snapshot(con, "old", old, at)
        snapshot(con, "new", [*kept, *new, edited.record.id], at)
        expected = {one: "new" for one in new} | {one: "removed" for one in gone if one != live[0]}
        expected[edited.record.id] = "edited"
        with data_changes.materialised(con, home.snapshots, "a-new", "a-old"):
            groups = data_changes.groups(con)
            changed, before = list[data_changes.ChangedRecord](), ""
            while page := data_changes.page(con, limit=9, before=before):
                changed, before = [*changed, *page], page[-1].stored.record.id
            only = data_changes.page(con, limit=500, kinds=["removed"])
        stored = {one.record.id: one for one in records_table.list_records(con)}
        kinds = Counter(
            (kind, stored[one].tags.language.value, stored[one].tags.category.value) for one, kind in expected.items()
        )
        assert {(one.kind, one.language, one.category): one.count for one in groups} == kinds
        assert {one.stored.record.id: one.kind for one in changed} == expected
        assert [one.stored.record.id for one in changed] == [one for one in reversed(stored) if one in expected]
        assert [one.earlier for one in changed if one.kind == "edited"] == [live[0]]
        assert [one.stored for one in only] == [one.stored for one in changed if one.kind == "removed"]
        assert data_changes.counts(con, home.snapshots, "a-new", "a-old") == {
            kind: sum(one == kind for one in expected.values()) for kind in data_changes.KINDS
        }
        newest = data_changes.new_texts(con, home.snapshots, "a-new", "a-old", most=500)
        assert {one.id for one in newest} == {
            one for one, kind in expected.items() if kind != "removed" and stored[one].status is not Status.FORGOTTEN
        }


def test_a_snapshot_holds_what_was_put_into_it(home: Home, told: list[StoredRecord], at: datetime) -> None:
    chosen = random.Random(7).sample([one.record.id for one in told], 80)
    with home.database.writing() as con:
        snapshot(con, "one", [*chosen, "never stored"], at)
        snapshot(con, "other", chosen[:5], at)
        found = snapshots_table.contents(con, "one")
        listed = records_table.list_records(con, RecordFilter(snapshot="one"))
        pages, after = list[str](), -1
        while page := learned_records(con, "one", 9, after):
            pages, after = [*pages, *(one.id for one in page)], page[-1].place
    assert found is not None
    kinds = Counter((one.tags.language.value, one.tags.category.value) for one in told if one.record.id in chosen)
    assert (found.own, dict(found.kinds)) == (81, dict(kinds))
    assert [one.record.id for one in listed] == [one.record.id for one in told if one.record.id in chosen]
    assert sorted(pages) == sorted(chosen)


def test_records_are_read_by_their_places_in_any_order(home: Home, told: list[StoredRecord]) -> None:
    with home.database.reading() as con:
        places = dict(con.execute("SELECT id, sequence FROM records").fetchall())
        wanted = random.Random(1).sample(told, 30)
        found = by_sequence(con, [10**6, *(places[one.record.id] for one in wanted)])
        assert list(found.values()) == wanted
        assert by_sequence(con, []) == {}
        assert records_table.get_many(con, [one.record.id for one in wanted]) == sorted(wanted, key=told.index)


def test_near_ones_wait_until_they_are_decided_on(home: Home, at: datetime, make_record) -> None:
    with home.database.writing() as con:
        first = make_record("first")
        near = [make_record(f"near {number}", near_of=first.record.id) for number in range(6)]
        records_table.insert_records(con, [first, *near], "batch", at)
        for one in near[:2]:
            settled_pairs_table.settle(con, one.record.id, [first.record.id], "both", [], "mika", at)
        decision = settled_pairs_table.newest_on(con, near[0].record.id)
        assert decision is not None
        settled_pairs_table.take_back(con, decision, "mika", at)
        waiting = [near[5], near[4], near[3], near[2], near[0]]
        assert table_settled_pairs_table.counts(con)["near"] == len(waiting)
        found = table_settled_pairs_table.page(con, "near", 3)
        found += table_settled_pairs_table.page(con, "near", 3, found[-1].stored.record.id)
        assert [one.stored.record.id for one in found] == [one.record.id for one in waiting]


def test_the_queue_counts_what_is_uncertain(b: Bonsai, at: datetime, make_record) -> None:
    with b.database.writing() as con:
        tags = ["uncategorised" if number % 3 else "open_qa" for number in range(20)]
        new = [make_record(f"q{number}", category=tag) for number, tag in enumerate(tags)]
        records_table.insert_records(con, new, "batch", at)
        expected = records_table.count(con, UNCERTAIN)
    assert expected > 5
    assert next_uncertain(b, None).left == expected
