"""Records, rejects and the inbox: lists, pages, counts and single items."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from bonsai.context import Bonsai
from storage import inbox, uploads
from storage.scale.search import search
from storage.tables import adapters_table, record_versions_table, records_table, rejects_table
from storage.tables.record_rows import StoredRecord
from storage.tables.record_versions_table import Version
from storage.tables.records_table import RecordFilter, Sort, sorted_page
from storage.tables.rejects_table import StoredReject


@dataclass(frozen=True, slots=True)
class RecordDetail:
    """A record with its history."""

    stored: StoredRecord
    versions: tuple[Version, ...]
    "Oldest first; empty if it was never edited."
    adapters: tuple[str, ...]
    "Ids of the adapters trained on it."


def list_records(b: Bonsai, wanted: RecordFilter, limit: int | None) -> list[StoredRecord]:
    """The newest `limit` matches, or all; in order of arrival."""
    with b.database.reading() as con:
        return records_table.list_records(con, wanted) if limit is None else records_table.newest(con, wanted, limit)


def count_records(b: Bonsai, wanted: RecordFilter) -> int:
    """Number of matches."""
    with b.database.reading() as con:
        return records_table.count(con, wanted)


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


def page_of_records(b: Bonsai, wanted: RecordFilter, limit: int, before: str = "", sort: Sort = "newest") -> Page:
    """One page in a sort order. For the next page, pass `rest` as `before`. Raises UnknownId.

    A text search is always newest first. It closes the database now and then, so that no writer waits for it, and
    stops after a time budget.
    """
    if not wanted.text:
        with b.database.reading() as con:
            found = sorted_page(con, wanted, limit + 1, sort, before)
        return Page(tuple(found[:limit]), found[limit - 1].record.id if len(found) > limit else "")
    until, records, rest = time.monotonic() + SEARCH_SECONDS, list[StoredRecord](), before
    while True:
        with b.database.reading() as con:
            slice_ = search(con, wanted, limit + 1 - len(records), rest, seconds=SLICE_SECONDS)
        records, rest = [*records, *slice_.records], slice_.rest
        if len(records) > limit:
            return Page(tuple(records[:limit]), records[limit - 1].record.id)
        if not rest or time.monotonic() > until:
            return Page(tuple(records), rest, not rest)
