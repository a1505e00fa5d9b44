"""Timeline of a subject, with similar events long before."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bonsai.context import Bonsai
from bonsai.ingest.dedup.ngrams import nearest
from storage.tables import subjects
from storage.tables.subjects import EarlierEvent, Part, Subject, SubjectEvent

MAX_COMPARED, MAX_PARTS = 600, 2
"A page compares with at most this many records, in this many parts of the database; more on request."
MAX_COMPARED_ON_REQUEST, READ_SECONDS = 3_000, 0.2
"On request: records to compare, and time to read them in; comparing takes as long again."
MIN_DAYS_APART = 60
"Similar events closer than this belong to the same story."
MIN_SIMILARITY = 0.3
"Smallest share of rarer n-grams in common."
MAX_EARLIER = 2


@dataclass(frozen=True, slots=True)
class Earlier:
    """A similar event of the same subject, long before."""

    event: EarlierEvent
    likeness: float
    days: int
    "Days between the two events."


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a timeline."""

    event: SubjectEvent
    earlier: tuple[Earlier, ...] = ()
    "Most similar first."


@dataclass(frozen=True, slots=True)
class Timeline:
    """A subject's timeline, or one page of it."""

    entries: tuple[Entry, ...]
    "Latest first."
    unread: int | None = None
    "First part of the past (`subjects.Part`) not yet searched for similar events; None if all were."


def list_subjects(b: Bonsai, limit: int, fewer_than: int = 0, after: str = "") -> list[Subject]:
    """Most records first. For the next page, pass the last one's `records` and `name`."""
    with b.database.reading() as con:
        return subjects.subjects(con, limit, fewer_than, after)


def timeline(b: Bonsai, subject: str, limit: int, after: str = "", past: int | None = None) -> Timeline:
    """A subject's events, latest first. For the next page, pass the last id as `after`.

    A small past is searched for similar events at once. For a large one, pass `unread` as `past` to continue
    from there; the database is free in between. Raises UnknownId.
    """
    before = list[EarlierEvent]()
    with b.database.reading() as con:
        found = subjects.events(con, subject, limit, after)
        if not found:
            return Timeline(())
        until = found[0].day - timedelta(days=MIN_DAYS_APART)
        parts = [one for one in subjects.past_parts(con, subject, until) if past is None or one.number <= past]
        if past is None and len(parts) <= MAX_PARTS and sum(one.records for one in parts) <= MAX_COMPARED:
            before = [event for one in parts for event in subjects.events_in(con, one.number, subject, until)]
            parts = []
    ends = time.monotonic() + READ_SECONDS
    while past is not None and parts and (not before or _may_add(parts[0], before, ends)):
        with b.database.reading() as con:
            before += subjects.events_in(con, parts.pop(0).number, subject, until)
    return Timeline(_with_earlier(found, before), parts[0].number if parts else None)


def _may_add(part: Part, before: Sequence[EarlierEvent], ends: float) -> bool:
    return len(before) + part.records <= MAX_COMPARED_ON_REQUEST and time.monotonic() < ends


def whole_timeline(b: Bonsai, subject: str, limit: int) -> tuple[Entry, ...]:
    """The latest events, compared with the whole past, however long that takes."""
    found = timeline(b, subject, limit)
    entries = {one.event.id: one for one in found.entries}
    while found.unread is not None:
        found = timeline(b, subject, limit, past=found.unread)
        for one in found.entries:
            if one.event.id in entries:  # else it arrived meanwhile
                known = entries[one.event.id].earlier
                entries[one.event.id] = Entry(one.event, _most_similar((*known, *one.earlier)))
    return tuple(entries.values())


def _with_earlier(found: Sequence[SubjectEvent], before: Sequence[EarlierEvent]) -> tuple[Entry, ...]:
    known = {one.id for one in before}
    late = [one for one in found if one.id not in known]  # they count as well in how rare an n-gram is
    texts = [f"{one.instruction} {one.output}" for group in (before, late) for one in group]
    asked = [f"{one.instruction} {one.output}" for one in found]
    likely = nearest(asked, texts, most=len(texts), at_least=MIN_SIMILARITY) if before else [()] * len(found)
    made = []
    for one, near in zip(found, likely, strict=True):
        old = ((before[n.number], n.likeness) for n in near if n.number < len(before))
        met = (Earlier(event, likeness, (one.day - event.day).days) for event, likeness in old)
        made.append(Entry(one, _most_similar(earlier for earlier in met if earlier.days >= MIN_DAYS_APART)))
    return tuple(made)


def _most_similar(found: Iterable[Earlier]) -> tuple[Earlier, ...]:
    return tuple(sorted(found, key=lambda one: -one.likeness)[:MAX_EARLIER])
