"""Forget records everywhere in the home: in the database at once, then in the files that hold their texts.

    1  one transaction: texts out of every table, tombstones, marks, and a to-do entry for the files
    2  submissions in the inbox; a copied file is erased whole: everything else in it is stored or was unreadable
    3  files of nights and calibrations: snapshots, checkpoints, jobs, answers; not while one runs, which needs them
    4  the database file is rewritten: its free pages still hold the old contents
    5  the to-do entry is removed

If the process is killed, the next forgetting or drain finishes the work. Adapters stay, marked: what they learned is
gone after the cold start that is then due. Exports, backups and imported originals outside the home are not touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bonsai.context import Bonsai
from bonsai.domain.records import Defaults, Origin, Record, parse
from bonsai.errors import InputError, LockTimeout
from bonsai.ingest.readers import read
from bonsai.system.locks import may_be_running
from storage import forgetting, inbox, uploads
from storage.connect import Connection
from storage.forgetting import Due, erase_reports, erase_runs, erase_snapshot, erase_unfinished_calibrations
from storage.home import remove_leftovers
from storage.inbox import InboxItem
from storage.tables import nights_table, rejects_table, snapshots_table

READ_BYTES = 1 << 24
"Of a submission that could not be read as records."


@dataclass(frozen=True, slots=True)
class ForgetResult:
    """What forgetting removed."""

    records: tuple[str, ...]
    adapters: tuple[str, ...]
    "Adapters trained on one of the records; the next night starts cold."
    cold_night: bool
    rejects: int
    "Rejects that contained one of the texts."
    snapshots: tuple[str, ...]
    "Snapshots that contained one of the texts; only their metadata is left."
    erased: bool
    "False: a running night or calibration needs some of the files; the first drain after it erases them."


def forget_records(b: Bonsai, ids: Sequence[str], by: str, now: datetime, *, here: bool = True) -> ForgetResult:
    """Erase records for good: texts go, tombstones stay, adapters trained on them are marked. Idempotent.

    `here`: also erase their files now, which takes ten seconds and much memory among a million records; otherwise the
    next drain does it.
    """
    with b.database.reading() as con:
        texts = [pair for one in ids for pair in forgetting.texts_of(con, one)]
    unreadable = [item.path.name for item in inbox.filed(b.places.inbox, "failed") if _contains_text(item, texts)]
    with b.database.writing() as con:
        found = [forgetting.forget(con, one, by, now, unreadable) for one in ids]
    records, adapters, snapshots = (
        tuple(dict.fromkeys(name for one in found for name in getattr(one, part)))
        for part in ("records", "adapters", "snapshots")
    )
    rejects = sum(one.rejects for one in found)
    return ForgetResult(records, adapters, bool(adapters), rejects, snapshots, here and erase_files(b, now))


def erase_files(b: Bonsai, now: datetime) -> bool:
    """Erase what is still due from the home's files; False if a night or calibration needs them now. Idempotent."""
    with b.database.reading() as con:
        due = forgetting.due(con)
        snapshots = snapshots_table.snapshots_with(con, due.records) if due.records else ()
        running = _night_runs(con)
    if not due.records:
        return True
    try:
        with inbox.draining(b.places.inbox, b.config.storage.lock_wait_seconds):
            _erase_submissions(b, due)
        if running:
            return False
        erase_unfinished_calibrations(b.places)
        for name in snapshots:
            erase_snapshot(b.places.snapshots / name, now)
        erase_runs(b.places.runs, snapshots, due.suite_items)
        erase_reports(b.places.reports, due.suite_items)
        remove_leftovers(b.places)
        b.database.rewrite()
        with b.database.writing() as con:
            forgetting.clear_due(con, due, now)
    except LockTimeout:
        return False
    return True


def _night_runs(con: Connection) -> bool:
    nights = nights_table.list_nights(con)
    return any(one.outcome.status == "running" and may_be_running(one.holder) for one in nights)


def _erase_submissions(b: Bonsai, due: Due) -> None:
    ids = frozenset(due.records)
    for item in inbox.filed(b.places.inbox):
        if not ids.isdisjoint(submitted_record_ids(b, item)):
            inbox.erase(item)
    for item in inbox.filed(b.places.inbox, "failed"):
        if item.path.name in due.unreadable:
            inbox.erase(item)
    for upload in uploads.listed(b.places.uploads):
        if upload.state in ("unchecked", "checked") and not ids.isdisjoint(_ids_of_file(b, upload.data)):
            uploads.cancel(b.places.uploads, upload.id)


def _contains_text(item: InboxItem, texts: Sequence[tuple[str, str]]) -> bool:
    """Whether a submission that made no record contains a forgotten text, as far as its beginning can be read."""
    with item.path.open("rb") as file:
        return rejects_table.contains_any(file.read(READ_BYTES).decode("utf-8", "replace"), texts)


def submitted_record_ids(b: Bonsai, item: InboxItem) -> frozenset[str]:
    """Ids of the records in a submission."""
    if item.kind == "file":
        return _ids_of_file(b, item.path)
    try:
        made = parse(inbox.fields_of(item), Origin("form"), Defaults(), b.config.records)
    except InputError:
        return frozenset()
    return frozenset((made.id,)) if isinstance(made, Record) else frozenset()


def _ids_of_file(b: Bonsai, path: Path) -> frozenset[str]:
    limits = b.config.records
    try:
        return frozenset(one.id for one in read(path, limits=limits) if isinstance(one, Record))
    except InputError:
        return frozenset()
