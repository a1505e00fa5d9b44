"""The inbox, taken in: each submission moves to `done/` only after the transaction that stored it.

Uploads that somebody confirmed are taken in with it, and those that are new are looked at. Draining twice changes
nothing. A submission that tells a forgotten record again is not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bonsai.errors import InputError
from bonsai.pipeline.parts import Bonsai
from bonsai.pipeline.records import forgetting, uploading
from bonsai.pipeline.records.intake import Counts, import_file, store_all
from bonsai.progress import Report, silent
from bonsai.records import Defaults, Limits, Origin, Record, Reject, parse
from storage import inbox, tombstones_table
from storage.inbox import Item

INBOX_BATCH = "inbox"
OWN = Defaults(source="self")


@dataclass(frozen=True, slots=True)
class Drained:
    """What the inbox held."""

    files: int
    counts: Counts


def submit(b: Bonsai, fields: Mapping[str, str], now: datetime, origin: Origin = inbox.FORM) -> str:
    """Put one record into the inbox; needs no database. The submission's id, once it is safely on the disk."""
    return inbox.submit(b.places.inbox, fields, now, origin)


def drain_inbox(b: Bonsai, now: datetime, report: Report = silent) -> Drained:
    """Store everything that waits, and finish what a forgetting left to do. Safe to repeat. Raises LockTimeout."""
    with inbox.draining(b.places.inbox, b.config.storage.lock_wait_seconds):
        waiting = inbox.pending(b.places.inbox)
        told = [item for item in waiting if item.kind == "record"]
        counts = _drain_records(b, told, now, report)
        for item in waiting:
            if item.kind == "file":
                counts += _drain_file(b, item, now, report)
        taken, uploaded = uploading.take_uploads(b, now, report)
        uploading.check_uploads(b)
        uploading.sweep_uploads(b, now)
    forgetting.finish(b, now)
    return Drained(len(waiting) + taken, counts + uploaded)


def _drain_records(b: Bonsai, items: list[Item], now: datetime, report: Report) -> Counts:
    readable = [item for item in items if _readable(item)]
    if not readable:
        return Counts()
    made = [_parsed(b, item) for item in readable]
    counts = store_all(b, made, INBOX_BATCH, now, "person", report, OWN)
    with b.database.reading() as con:
        forgotten = tombstones_table.known(con, [one.id for one in made if isinstance(one, Record)])
    for item, one in zip(readable, made, strict=True):
        if isinstance(one, Record) and one.id in forgotten:
            inbox.erase(item)
        else:
            inbox.done(item)
    return counts


def _readable(item: Item) -> bool:
    try:
        inbox.fields_of(item)
    except InputError as error:
        inbox.failed(item, str(error))
        return False
    return True


def _parsed(b: Bonsai, item: Item) -> Record | Reject:
    return parse(inbox.fields_of(item), inbox.origin_of(item), OWN, Limits(**b.config.records.model_dump()))


def _drain_file(b: Bonsai, item: Item, now: datetime, report: Report) -> Counts:
    try:
        counts = import_file(b, item.path, now=now, name=item.name, report=report)
    except InputError as error:
        inbox.failed(item, str(error))
        return Counts()
    with b.database.reading() as con:
        forgotten = tombstones_table.any_there(con) and tombstones_table.known(con, forgetting.ids_told_by(b, item))
    if forgotten:
        inbox.erase(item)
    else:
        inbox.done(item)
    return counts
