"""Drain the inbox: a submission moves to `done/` only after the transaction that stored it.

Submissions go before files, even while a file of a million records is imported: the inbox is checked again after each
chunk, and while uploads are previewed. A drain also imports confirmed uploads and previews new ones. It is idempotent,
and erases submissions of forgotten records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bonsai.actions import forget, uploads
from bonsai.actions.import_file import BetweenChunks, ImportCounts, import_file, screen_and_store
from bonsai.actions.screening import Screener
from bonsai.context import Bonsai
from bonsai.domain.records import Defaults, Origin, Record, Reject, parse
from bonsai.errors import InputError
from bonsai.queries.records import submitted_at
from bonsai.system.progress import Report, silent
from storage import inbox
from storage.inbox import InboxItem
from storage.tables import tombstones_table

INBOX_BATCH = "inbox"
OWN = Defaults(source="self")


@dataclass(frozen=True, slots=True)
class DrainResult:
    """Result of a drain."""

    files: int
    counts: ImportCounts


def submit(b: Bonsai, fields: Mapping[str, str], now: datetime, origin: Origin = inbox.FORM) -> str:
    """Write one record to the inbox; needs no database. Returns the submission's id once it is safely on disk."""
    return inbox.submit(b.places.inbox, fields, now, origin)


def drain_inbox(b: Bonsai, now: datetime, report: Report = silent) -> DrainResult:
    """Store everything that waits and finish pending erasures. Idempotent. Raises LockTimeout."""
    submissions = _Submissions(b, now)
    with inbox.draining(b.places.inbox, b.config.storage.lock_wait_seconds):
        submissions.take(report=report)
        files = [item for item in inbox.pending(b.places.inbox) if item.kind == "file"]
        counts = ImportCounts()
        for item in files:
            counts += _drain_file(b, item, now, report, submissions.take)
        taken, uploaded = uploads.import_uploads(b, now, report, submissions.take)
        uploads.check_uploads(b, submissions.take)
        uploads.sweep_uploads(b, now)
    forget.erase_files(b, now)
    return DrainResult(submissions.submissions + len(files) + taken, submissions.counts + counts + uploaded)


@dataclass(slots=True)
class _Submissions:
    """Submissions of records, stored whenever `take` is called during a drain."""

    b: Bonsai
    now: datetime
    submissions: int = 0
    counts: ImportCounts = field(default_factory=ImportCounts)

    def take(self, judge: Screener | None = None, report: Report = silent) -> None:
        """Store all waiting submissions; the screener of a running import learns of them too."""
        items = [item for item in inbox.pending(self.b.places.inbox) if item.kind == "record"]
        # submitted after the drain began: a record is never older than its submission
        now = max([self.now, *(at for item in items if (at := submitted_at(item.id)))])
        self.counts += _drain_records(self.b, items, now, report, judge)
        self.submissions += len(items)


def _drain_records(
    b: Bonsai, items: list[InboxItem], now: datetime, report: Report, judge: Screener | None
) -> ImportCounts:
    readable = [item for item in items if _readable(item)]
    if not readable:
        return ImportCounts()
    made = [_parsed(b, item) for item in readable]
    counts = screen_and_store(b, made, INBOX_BATCH, now, "person", report, OWN, judge)
    with b.database.reading() as con:
        forgotten = tombstones_table.known(con, [one.id for one in made if isinstance(one, Record)])
    for item, one in zip(readable, made, strict=True):
        if isinstance(one, Record) and one.id in forgotten:
            inbox.erase(item)
        else:
            inbox.mark_done(item)
    return counts


def _readable(item: InboxItem) -> bool:
    try:
        inbox.fields_of(item)
    except InputError as error:
        inbox.mark_failed(item, str(error))
        return False
    return True


def _parsed(b: Bonsai, item: InboxItem) -> Record | Reject:
    return parse(inbox.fields_of(item), inbox.origin_of(item), OWN, b.config.records)


def _drain_file(b: Bonsai, item: InboxItem, now: datetime, report: Report, between: BetweenChunks) -> ImportCounts:
    try:
        counts = import_file(b, item.path, now=now, name=item.name, report=report, between=between)
    except InputError as error:
        inbox.mark_failed(item, str(error))
        return ImportCounts()
    with b.database.reading() as con:
        forgotten = tombstones_table.has_any(con) and tombstones_table.known(con, forget.submitted_record_ids(b, item))
    if forgotten:
        inbox.erase(item)
    else:
        inbox.mark_done(item)
    return counts
