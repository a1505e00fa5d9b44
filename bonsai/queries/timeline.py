"""What a person looks at when caring for records: a subject's timeline, and pairs that wait for a word; reads only."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bonsai.context import Bonsai
from bonsai.ingest.dedup.nearest import nearest
from storage.tables import subjects
from storage.tables.subjects import EarlierEvent, Part, Subject, SubjectEvent

COMPARED, PARTS = 600, 2
"So many records, in so few parts of the database, are compared while a page waits; more when somebody asks."
COMPARED_AT_ONCE, LOOK_SECONDS = 3_000, 0.2
"When somebody asks: read in at most this time, and compared in as much again."
LONG_AGO_DAYS = 60
"What happened less long before is no anniversary but the same story."
SAME_THING = 0.3
"Share of the rarer n-grams that an earlier record must have."
MOST_EARLIER = 2


@dataclass(frozen=True, slots=True)
class Earlier:
    """A similar thing that happened to the same subject long before."""

    told: EarlierEvent
    likeness: float
    days: int
    "How long before."


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    told: SubjectEvent
    earlier: tuple[Earlier, ...] = ()
    "The likest first."


@dataclass(frozen=True, slots=True)
class Timeline:
    """What happened to a subject, or some of it."""

    entries: tuple[Entry, ...]
    "The latest first."
    unread: int | None = None
    "The part of the past (`subjects.Part`) from which on nobody has looked for the same thing; None: all was."


def list_subjects(b: Bonsai, limit: int, fewer_than: int = 0, after: str = "") -> list[Subject]:
    """The most told of first; for the next page pass the last one's `records` and `name`."""
    with b.database.reading() as con:
        return subjects.subjects(con, limit, fewer_than, after)


def timeline(b: Bonsai, subject: str, limit: int, after: str = "", past: int | None = None) -> Timeline:
    """What happened to a subject, the latest first; for the next page pass the last one's id as `after`.

    The same thing long before is looked for at once where the past is small. Where it is not, pass `unread` as `past`:
    then it is looked for from there on, and the database is free in between. Raises UnknownId.
    """
    before = list[EarlierEvent]()
    with b.database.reading() as con:
        found = subjects.events(con, subject, limit, after)
        if not found:
            return Timeline(())
        until = found[0].day - timedelta(days=LONG_AGO_DAYS)
        parts = [one for one in subjects.past(con, subject, until) if past is None or one.number <= past]
        if past is None and len(parts) <= PARTS and sum(one.records for one in parts) <= COMPARED:
            before = [told for one in parts for told in subjects.events_in(con, one.number, subject, until)]
            parts = []
    ends = time.monotonic() + LOOK_SECONDS
    while past is not None and parts and (not before or _may_add(parts[0], before, ends)):
        with b.database.reading() as con:
            before += subjects.events_in(con, parts.pop(0).number, subject, until)
    return Timeline(_with_earlier(found, before), parts[0].number if parts else None)


def _may_add(part: Part, before: Sequence[EarlierEvent], ends: float) -> bool:
    return len(before) + part.records <= COMPARED_AT_ONCE and time.monotonic() < ends


def whole_timeline(b: Bonsai, subject: str, limit: int) -> tuple[Entry, ...]:
    """The latest entries, compared with the whole past, however long that takes."""
    found = timeline(b, subject, limit)
    entries = {one.told.id: one for one in found.entries}
    while found.unread is not None:
        found = timeline(b, subject, limit, past=found.unread)
        for one in found.entries:
            if one.told.id in entries:  # else told meanwhile
                known = entries[one.told.id].earlier
                entries[one.told.id] = Entry(one.told, _likest((*known, *one.earlier)))
    return tuple(entries.values())


def _with_earlier(found: Sequence[SubjectEvent], before: Sequence[EarlierEvent]) -> tuple[Entry, ...]:
    known = {one.id for one in before}
    late = [one for one in found if one.id not in known]  # they say too how rare a word is
    texts = [f"{one.instruction} {one.output}" for group in (before, late) for one in group]
    asked = [f"{one.instruction} {one.output}" for one in found]
    likely = nearest(asked, texts, most=len(texts), at_least=SAME_THING) if before else [()] * len(found)
    made = []
    for one, near in zip(found, likely, strict=True):
        old = ((before[n.number], n.likeness) for n in near if n.number < len(before))
        met = (Earlier(told, likeness, (one.day - told.day).days) for told, likeness in old)
        made.append(Entry(one, _likest(earlier for earlier in met if earlier.days >= LONG_AGO_DAYS)))
    return tuple(made)


def _likest(found: Iterable[Earlier]) -> tuple[Earlier, ...]:
    return tuple(sorted(found, key=lambda one: -one.likeness)[:MOST_EARLIER])
