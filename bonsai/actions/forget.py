"""To forget records everywhere in the home: in the database at once, then in the files that hold their texts.

    1  one transaction: texts out of every table, tombstones, marks, and a note of what is still to be erased
    2  submissions in the inbox; a copied file goes whole: all else in it is stored, or could not be read
    3  what nights left: snapshots, checkpoints, jobs, answers; not while a night is running, which needs them
    4  the database file is written anew: its freed pages still show what stood in them
    5  the note is taken back

Killed in between, it is finished by the next forgetting or drain. Adapters stay, marked: what they learned goes with
the cold night that is due. Exports, backups and the files that were imported lie outside of the home.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bonsai.context import Bonsai
from bonsai.domain.records import Defaults, Limits, Origin, Record, parse
from bonsai.errors import InputError, LockTimeout
from bonsai.ingest.readers import read
from bonsai.system.locks import may_be_running
from storage import erasing, forgetting, inbox, uploads
from storage.connect import Connection
from storage.forgetting import Due
from storage.home import remove_leftovers
from storage.inbox import InboxItem
from storage.tables import nights_table, rejects_table, snapshots_table

READ_BYTES = 1 << 24
"Of a submission that could not be read as records."


@dataclass(frozen=True, slots=True)
class ForgetResult:
    """What forgetting touched."""

    records: tuple[str, ...]
    adapters: tuple[str, ...]
    "They learned from one of the records; the next night trains anew."
    cold_night: bool
    rejects: int
    "Rejects that held one of the texts."
    snapshots: tuple[str, ...]
    "They held one of the texts; only a note is left of them."
    erased: bool
    "False: a night is running and needs some of the files; the first drain after it erases them."


def forget_records(b: Bonsai, ids: Sequence[str], by: str, now: datetime, *, here: bool = True) -> ForgetResult:
    """Forget for good: texts go, tombstones stay, adapters that learned from them are marked. Safe to repeat.

    `here`: also erase what is left in files, which takes ten seconds among a million records and much memory; else the
    next drain does it.
    """
    with b.database.reading() as con:
        told = [pair for one in ids for pair in forgetting.texts_of(con, one)]
    unreadable = [item.path.name for item in inbox.filed(b.places.inbox, "failed") if _tells(item, told)]
    with b.database.writing() as con:
        found = [forgetting.forget(con, one, by, now, unreadable) for one in ids]
    records, adapters, snapshots = (
        tuple(dict.fromkeys(name for one in found for name in getattr(one, part)))
        for part in ("records", "adapters", "snapshots")
    )
    rejects = sum(one.rejects for one in found)
    return ForgetResult(records, adapters, bool(adapters), rejects, snapshots, here and finish(b, now))


def finish(b: Bonsai, now: datetime) -> bool:
    """Erase what is due from the home's files; False when something else needs them now. Safe to repeat."""
    with b.database.reading() as con:
        due = forgetting.due(con)
        snapshots = snapshots_table.holding(con, due.records) if due.records else ()
        running = _night_runs(con)
    if not due.records:
        return True
    try:
        with inbox.draining(b.places.inbox, b.config.storage.lock_wait_seconds):
            _erase_submissions(b, due)
        if running:
            return False
        for name in snapshots:
            erasing.erase_snapshot(b.places.snapshots / name, now)
        erasing.erase_runs(b.places.runs, snapshots, due.suite_items)
        erasing.erase_reports(b.places.reports, due.suite_items)
        remove_leftovers(b.places)
        b.database.rewrite()
        with b.database.writing() as con:
            forgetting.erased(con, due, now)
    except LockTimeout:
        return False
    return True


def _night_runs(con: Connection) -> bool:
    nights = nights_table.list_nights(con)
    return any(one.outcome.status == "running" and may_be_running(one.holder) for one in nights)


def _erase_submissions(b: Bonsai, due: Due) -> None:
    ids = frozenset(due.records)
    for item in inbox.filed(b.places.inbox):
        if not ids.isdisjoint(ids_told_by(b, item)):
            inbox.erase(item)
    for item in inbox.filed(b.places.inbox, "failed"):
        if item.path.name in due.unreadable:
            inbox.erase(item)
    for upload in uploads.listed(b.places.uploads):
        if upload.state in ("unchecked", "checked") and not ids.isdisjoint(_ids_of_file(b, upload.data)):
            uploads.cancel(b.places.uploads, upload.id)


def _tells(item: InboxItem, told: Sequence[tuple[str, str]]) -> bool:
    """A submission that is no record, and yet holds one's texts; as far as its beginning can be read."""
    with item.path.open("rb") as file:
        return rejects_table.tells(file.read(READ_BYTES).decode("utf-8", "replace"), told)


def ids_told_by(b: Bonsai, item: InboxItem) -> frozenset[str]:
    """Ids of the records that a submission tells."""
    if item.kind == "file":
        return _ids_of_file(b, item.path)
    try:
        made = parse(inbox.fields_of(item), Origin("form"), Defaults(), Limits(**b.config.records.model_dump()))
    except InputError:
        return frozenset()
    return frozenset((made.id,)) if isinstance(made, Record) else frozenset()


def _ids_of_file(b: Bonsai, path: Path) -> frozenset[str]:
    limits = Limits(**b.config.records.model_dump())
    try:
        return frozenset(one.id for one in read(path, limits=limits) if isinstance(one, Record))
    except InputError:
        return frozenset()
