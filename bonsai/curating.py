"""What a person looks at when caring for records: a subject's timeline, and pairs that wait for a word; reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bonsai.duplicates.nearest import nearest
from bonsai.pipeline.parts import Bonsai
from storage import pairs_table, records_pages, records_table, settled_pairs_table, subjects
from storage.pairs_table import Kind, Waiting
from storage.record_rows import StoredRecord
from storage.records_table import RecordFilter
from storage.settled_pairs_table import Decision
from storage.subjects import Subject, Told

COMPARED = 600
"Of a subject's records, the latest, in which the same thing is looked for: a page has 0.1 s for it."
LONG_AGO_DAYS = 60
"What happened less long before is no anniversary but the same story."
SAME_THING = 0.3
"Share of the rarer n-grams that an earlier record must have. Measured: tests/database/test_timeline.py."
MOST_EARLIER = 2


@dataclass(frozen=True, slots=True)
class Earlier:
    """A similar thing that happened to the same subject long before."""

    told: Told
    likeness: float
    days: int
    "How long before."


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    stored: StoredRecord
    day: date
    dated: bool
    "False: nobody said when it happened; `day` is when it was told."
    earlier: tuple[Earlier, ...]
    "The likest first."


def waiting_pairs(b: Bonsai, kind: Kind, limit: int, before: str = "") -> list[Waiting]:
    """Records that wait for one reason, the newest first; for the next page pass the last one's id as `before`."""
    with b.database.reading() as con:
        return pairs_table.page(con, kind, limit, before)


def pair_counts(b: Bonsai) -> dict[Kind, int]:
    """How many wait for which reason."""
    with b.database.reading() as con:
        return pairs_table.counts(con)


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision on a pair."""

    decision: Decision
    records: tuple[StoredRecord, ...]
    "The one that waited, then those that it stood against, as they are now."

    @property
    def reopens(self) -> bool:
        """Whether it can be taken back, as far as the decision itself says."""
        return self.decision.taken_back_at is None and self.decision.changed is not None


def decided_pairs(b: Bonsai, limit: int, before: int | None = None) -> list[Decided]:
    """The newest first; for the next page pass the last one's number as `before`."""
    with b.database.reading() as con:
        found = settled_pairs_table.decisions(con, limit, before)
        named = {one for decision in found for one in (decision.record_id, *decision.others)}
        there = {one.record.id: one for one in records_table.get_many(con, sorted(named))}
    return [Decided(one, tuple(there[name] for name in (one.record_id, *one.others) if name in there)) for one in found]


def list_subjects(b: Bonsai, limit: int, fewer_than: int = 0, after: str = "") -> list[Subject]:
    """The most told of first; for the next page pass the last one's `records` and `name`."""
    with b.database.reading() as con:
        return subjects.subjects(con, limit, fewer_than, after)


def timeline(b: Bonsai, subject: str, limit: int, after: str = "") -> list[Entry]:
    """What happened to a subject, the latest first; for the next page pass the last one's id as `after`."""
    wanted = RecordFilter(subject=subject, current=True)
    with b.database.reading() as con:
        found = records_pages.page(con, wanted, limit, "happened", after)
        before = subjects.told_before(con, subject, _day(found[0]), COMPARED) if found else []
    entries = [f"{one.record.instruction} {one.record.output}" for one in found]
    likely = nearest(
        entries, [f"{one.instruction} {one.output}" for one in before], most=len(before), at_least=SAME_THING
    )
    made = []
    for one, near in zip(found, likely, strict=True):
        met = (Earlier(before[n.number], n.likeness, (_day(one) - before[n.number].day).days) for n in near)
        earlier = tuple(one for one in met if one.days >= LONG_AGO_DAYS)[:MOST_EARLIER]
        made.append(Entry(one, _day(one), one.record.happened_on is not None, earlier))
    return made


def _day(stored: StoredRecord) -> date:
    return stored.record.happened_on or stored.created_at.date()
