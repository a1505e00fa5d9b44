"""Records, rejects and the inbox: lists, pages, counts and single items."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from bonsai.context import Bonsai
from bonsai.domain.records import Defaults, PairKind, Record, Reject, parse
from bonsai.errors import InputError, LockTimeout
from storage import inbox, uploads
from storage.inbox import InboxItem
from storage.scale.search import search
from storage.tables import adapters_table, record_versions_table, records_table, rejects_table, settled_pairs_table
from storage.tables.record_rows import StoredRecord
from storage.tables.record_versions_table import Version
from storage.tables.records_table import RecordFilter, Sort, sorted_page
from storage.tables.rejects_table import StoredReject
from storage.tables.settled_pairs_table import SettledPair, WaitingPair, counts, page


@dataclass(frozen=True, slots=True)
class RecordDetail:
    """A record with its history."""

    stored: StoredRecord
    versions: tuple[Version, ...]
    "Oldest first; empty if it was never edited."
    adapters: tuple[str, ...]
    "Ids of the adapters trained on it."


def list_records(b: Bonsai, record_filter: RecordFilter, limit: int | None) -> list[StoredRecord]:
    """The newest `limit` matches, or all; in order of arrival."""
    with b.database.reading() as con:
        return (
            records_table.list_records(con, record_filter)
            if limit is None
            else records_table.newest(con, record_filter, limit)
        )


def count_records(b: Bonsai, record_filter: RecordFilter) -> int:
    """Number of matches."""
    with b.database.reading() as con:
        return records_table.count(con, record_filter)


def show_record(b: Bonsai, record_id: str) -> RecordDetail:
    """By id or prefix. Raises UnknownId."""
    with b.database.reading() as con:
        stored = records_table.get(con, record_id)
        versions = tuple(record_versions_table.versions(con, stored.record.id))
        adapters = adapters_table.learned_from(con, record_versions_table.family(con, stored.record.id))
    return RecordDetail(stored, versions, tuple(adapters))


def list_rejects(b: Bonsai, limit: int | None) -> list[StoredReject]:
    """Open rejects: neither repaired nor dismissed."""
    with b.database.reading() as con:
        return rejects_table.list_rejects(con, limit=limit)


def page_of_rejects(b: Bonsai, limit: int, after: str = "") -> list[StoredReject]:
    """One page of open rejects. For the next page, pass the last id as `after`."""
    with b.database.reading() as con:
        return rejects_table.page(con, limit, after)


def show_reject(b: Bonsai, reject: str) -> StoredReject:
    """An open or settled reject, by id or prefix. Raises UnknownId."""
    with b.database.reading() as con:
        return rejects_table.get(con, reject)


@dataclass(frozen=True, slots=True)
class InboxStatus:
    """Contents of the inbox."""

    pending: int
    oldest: datetime | None
    "When the oldest waiting submission was made."
    done: int
    failed: int
    uploads: int = 0
    "Confirmed uploads that wait or are being imported."


def inbox_status(b: Bonsai) -> InboxStatus:
    """Counts files; needs no database."""
    waiting = inbox.pending(b.places.inbox)
    counts = inbox.counts(b.places.inbox)
    oldest = datetime.fromtimestamp(waiting[0].path.stat().st_mtime, UTC) if waiting else None
    confirmed = sum(one.state == "confirmed" for one in uploads.listed(b.places.uploads))
    return InboxStatus(len(waiting), oldest, counts.done, counts.failed, confirmed)


SEARCH_SECONDS = 0.45
"Time budget of a search, after which it returns what it has."
SLICE_SECONDS = 0.06
"""Longest time that a search keeps the database open at once; writers go in between."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of records."""

    records: tuple[StoredRecord, ...]
    rest: str
    "Pass as `before` for the next page; empty on the last one."
    searched_all: bool = True
    "False: the time budget ran out before the page was full; there may be more."


def page_of_records(
    b: Bonsai, record_filter: RecordFilter, limit: int, before: str = "", sort: Sort = "newest"
) -> Page:
    """One page in a sort order. For the next page, pass `rest` as `before`. Raises UnknownId.

    A text search is always newest first. It closes the database now and then, so that no writer waits for it, and
    stops after a time budget.
    """
    if not record_filter.text:
        with b.database.reading() as con:
            found = sorted_page(con, record_filter, limit + 1, sort, before)
        return Page(tuple(found[:limit]), found[limit - 1].record.id if len(found) > limit else "")
    until, records, rest = time.monotonic() + SEARCH_SECONDS, list[StoredRecord](), before
    while True:
        with b.database.reading() as con:
            slice_ = search(con, record_filter, limit + 1 - len(records), rest, seconds=SLICE_SECONDS)
        records, rest = [*records, *slice_.records], slice_.rest
        if len(records) > limit:
            return Page(tuple(records[:limit]), records[limit - 1].record.id)
        if not rest or time.monotonic() > until:
            return Page(tuple(records), rest, not rest)


def waiting_pairs(b: Bonsai, kind: PairKind, limit: int, before: str = "") -> list[WaitingPair]:
    """Records that wait for one reason, newest first. For the next page, pass the last id as `before`."""
    with b.database.reading() as con:
        return page(con, kind, limit, before)


def pair_counts(b: Bonsai) -> dict[PairKind, int]:
    """Number of waiting records per reason."""
    with b.database.reading() as con:
        return counts(con)


@dataclass(frozen=True, slots=True)
class DecidedPair:
    """A decision on a pair."""

    decision: SettledPair
    records: tuple[StoredRecord, ...]
    "The record that waited, then its counterparts, in their current state."

    @property
    def reopens(self) -> bool:
        """Whether it can be undone, as far as the decision itself says."""
        return self.decision.taken_back_at is None and self.decision.changed is not None


def decided_pairs(b: Bonsai, limit: int, before: int | None = None) -> list[DecidedPair]:
    """Newest first. For the next page, pass the last number as `before`."""
    with b.database.reading() as con:
        found = settled_pairs_table.decisions(con, limit, before)
        named = {one for decision in found for one in (decision.record_id, *decision.others)}
        there = {one.record.id: one for one in records_table.get_many(con, sorted(named))}
    return [
        DecidedPair(one, tuple(there[name] for name in (one.record_id, *one.others) if name in there)) for one in found
    ]


LOCK_WAIT_SECONDS = 0.3
"Wait for the database at most this long: someone who submits several in a row must not wait for the last one."
State = Literal["waiting", "stored", "told_before", "rejected", "gone", "unreadable"]


@dataclass(frozen=True, slots=True)
class SubmissionStatus:
    """A submission of one record and its status."""

    submission: str
    state: State
    "`gone`: no such submission, or erased because its record was forgotten."
    question: str = ""
    stored: StoredRecord | None = None
    reject: Reject | None = None


def submission_status(b: Bonsai, submissions: Sequence[str]) -> list[SubmissionStatus]:
    """Status of each, in order. While the database is busy, all that are not filed away count as waiting."""
    found = [(one, inbox.find(b.places.inbox, one)) for one in submissions]
    made = {one: _made(b, item) for one, item in found if item}
    ids = [one.id for one in made.values() if isinstance(one, Record)]
    stored = {}
    if ids:
        hasty = replace(b.database, lock_wait_seconds=LOCK_WAIT_SECONDS)
        with suppress(LockTimeout), hasty.reading() as con:
            stored = {one.record.id: one for one in records_table.get_many(con, ids)}
    return [_status(one, item, made.get(one), stored) for one, item in found]


def _made(b: Bonsai, item: InboxItem) -> Record | Reject | None:
    try:
        fields, origin = inbox.fields_of(item), inbox.origin_of(item)
    except (InputError, FileNotFoundError):  # damaged, or filed away just now
        return None
    return parse(fields, origin, Defaults(source="self"), b.config.records)


def _status(
    submission: str, item: InboxItem | None, made: Record | Reject | None, stored: dict[str, StoredRecord]
) -> SubmissionStatus:
    if item is None:
        return SubmissionStatus(submission, "gone")
    if made is None:
        return SubmissionStatus(submission, "unreadable" if item.path.parent.name == "failed" else "waiting")
    if isinstance(made, Reject):
        waits = item.path.parent.name != "done"
        return SubmissionStatus(submission, "waiting" if waits else "rejected", reject=made)
    there = stored.get(made.id)
    if there is None or item.path.parent.name != "done":
        return SubmissionStatus(submission, "waiting", made.instruction)
    at = submitted_at(submission)
    earlier = at is not None and there.created_at < at
    return SubmissionStatus(submission, "told_before" if earlier else "stored", made.instruction, there)


def submitted_at(submission: str) -> datetime | None:
    """Time of submission, from its id; None if the id holds no time."""
    with suppress(ValueError):
        return datetime.strptime(submission.partition("Z")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    return None
