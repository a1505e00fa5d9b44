"""What people look at: one read a function, from the database to values; nothing here changes anything."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from bonsai.context import Bonsai
from storage import inbox, uploads
from storage.scale.search import search
from storage.tables import adapters_table, record_versions_table, records_pages, records_table, rejects_table
from storage.tables.record_rows import StoredRecord
from storage.tables.record_versions_table import Version
from storage.tables.records_pages import Sort
from storage.tables.records_table import RecordFilter
from storage.tables.rejects_table import StoredReject

__all__ = ["RecordFilter"]


@dataclass(frozen=True, slots=True)
class RecordDetail:
    """One record and its past."""

    stored: StoredRecord
    versions: tuple[Version, ...]
    "Oldest first; empty when it was never edited."
    adapters: tuple[str, ...]
    "Ids of the adapters that learned from it."


def list_records(b: Bonsai, wanted: RecordFilter, limit: int | None) -> list[StoredRecord]:
    """The newest `limit` of them, or all; in order of arrival."""
    with b.database.reading() as con:
        return records_table.list_records(con, wanted) if limit is None else records_table.newest(con, wanted, limit)


def count_records(b: Bonsai, wanted: RecordFilter) -> int:
    """How many `list_records` would give without a limit."""
    with b.database.reading() as con:
        return records_table.count(con, wanted)


def show_record(b: Bonsai, record_id: str) -> RecordDetail:
    """By id or a beginning of one. Raises UnknownId."""
    with b.database.reading() as con:
        stored = records_table.get(con, record_id)
        versions = tuple(record_versions_table.versions(con, stored.record.id))
        adapters = adapters_table.learned_from(con, record_versions_table.family(con, stored.record.id))
    return RecordDetail(stored, versions, tuple(adapters))


def list_rejects(b: Bonsai, limit: int | None) -> list[StoredReject]:
    """What could not become a record, and nobody mended or dismissed yet."""
    with b.database.reading() as con:
        return rejects_table.list_rejects(con, limit=limit)


def page_of_rejects(b: Bonsai, limit: int, after: str = "") -> list[StoredReject]:
    """The same, a page at a time: pass the id of the last one as `after`."""
    with b.database.reading() as con:
        return rejects_table.page(con, limit, after)


def show_reject(b: Bonsai, reject: str) -> StoredReject:
    """One of them, settled or not, by id or a beginning of one. Raises UnknownId."""
    with b.database.reading() as con:
        return rejects_table.get(con, reject)


@dataclass(frozen=True, slots=True)
class InboxStatus:
    """What lies in the inbox."""

    pending: int
    oldest: datetime | None
    "When the first of those that wait was submitted."
    done: int
    failed: int
    uploads: int = 0
    "Uploaded files that somebody confirmed and that are being taken in."


def inbox_status(b: Bonsai) -> InboxStatus:
    """Counts files; needs no database."""
    waiting = inbox.pending(b.places.inbox)
    counts = inbox.counts(b.places.inbox)
    oldest = datetime.fromtimestamp(waiting[0].path.stat().st_mtime, UTC) if waiting else None
    confirmed = sum(one.state == "confirmed" for one in uploads.listed(b.places.uploads))
    return InboxStatus(len(waiting), oldest, counts.done, counts.failed, confirmed)


SEARCH_SECONDS = 0.45
"After which a search says how far it came."
SLICE_SECONDS = 0.06
"""Of a search, between which others may write."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some records."""

    records: tuple[StoredRecord, ...]
    rest: str
    "What to pass as `before` for those beyond it; empty when there are none."
    searched_all: bool = True
    "False: time was up before the page was full; beyond it may be more, or none."


def page_of_records(b: Bonsai, wanted: RecordFilter, limit: int, before: str = "", sort: Sort = "newest") -> Page:
    """Records in an order; for the next page pass `rest` as `before`. Raises UnknownId.

    A search shows the newest first, whatever the order; it closes the database from time to time, so that nobody who
    writes waits for it, and ends after a while.
    """
    if not wanted.text:
        with b.database.reading() as con:
            found = records_pages.page(con, wanted, limit + 1, sort, before)
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
