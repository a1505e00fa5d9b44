"""Forgetting: erase a record's texts from the database and from the home's files. Every function is safe to repeat.

The id stays as a tombstone, which blocks a re-import. Adapters that learned from the record are marked and a cold
night is due, because only retraining takes it out of weights. `forget` notes in its transaction what is still to be
erased from files (`bonsai.actions.forget` erases it), so that a kill in between loses nothing:

    snapshots/<id>/             rows and manifest go, a note stays; the database keeps which records it held
    runs/<night>/checkpoints/   of a training on such a snapshot: it cannot be resumed
    runs/<night>/job.json       loses the items of the personal set that were made of the records
    reports/                    jobs with such items go; in reports their answers are emptied, the scores stay
    calibrations/unfinished/    goes; the next calibration begins anew
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from bonsai.domain import snapshots
from bonsai.domain.reasons import Reason
from bonsai.domain.records import Status
from bonsai.system.files import write_json_atomic
from bonsai.system.locks import file_lock
from storage.connect import Connection
from storage.home import Home
from storage.scale import text_index
from storage.scale.counters import RECORDS, counting
from storage.sql import among, batch
from storage.tables import (
    adapters_table,
    personal_set_table,
    questions_table,
    record_versions_table,
    records_table,
    rejects_table,
    settings_table,
    snapshots_table,
    tombstones_table,
)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What forgetting a record touched."""

    records: tuple[str, ...]
    "Ids of the record and of all its versions."
    adapters: tuple[str, ...]
    "Adapters that learned from one of them, also through a warm start; now marked `needs_retrain`."
    snapshots: tuple[str, ...]
    "Snapshots that hold one of them."
    suite_items: tuple[str, ...]
    "Items of the personal set made of one of them; now retired and empty."
    rejects: int = 0
    "Rejects that held its texts; now empty."


@dataclass(frozen=True, slots=True)
class Due:
    """What is still to be erased from files."""

    records: tuple[str, ...] = ()
    suite_items: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    "Names of submissions in `inbox/failed`."


def texts_of(con: Connection, record_id: str) -> list[tuple[str, str]]:
    """(instruction, output) of a record and of its stored versions. Raises UnknownId."""
    ids = record_versions_table.family(con, records_table.resolve(con, record_id))
    return [(one.record.instruction, one.record.output) for one in records_table.get_many(con, ids)]


def forget(con: Connection, record_id: str, who: str, at: datetime, unreadable: Iterable[str] = ()) -> Forgotten:
    """Forget a record with all its versions, for good. Safe to repeat. Raises UnknownId.

    `unreadable`: failed submissions that contain its texts; noted now, because they cannot be found afterwards.
    """
    texts = texts_of(con, record_id)
    rejects = rejects_table.forget(con, texts, at)
    ids = record_versions_table.family(con, records_table.resolve(con, record_id))
    questions_table.forget(con, ids, texts)
    tombstones_table.add_tombstones(con, ids, who, at)
    _empty(con, ids, who, at)
    items = personal_set_table.forget(con, ids, at)
    adapters = adapters_table.mark_learned_from(con, ids)
    if adapters:
        settings_table.put(con, settings_table.COLD_NIGHT_DUE, True, at)
    _note(con, Due(tuple(ids), items, tuple(unreadable)), at)
    return Forgotten(tuple(sorted(ids)), adapters, snapshots_table.snapshots_with(con, ids), items, rejects)


def due(con: Connection) -> Due:
    """What is still to be erased from files."""
    noted = settings_table.get(con, settings_table.ERASURE_DUE, {})
    return Due(*(tuple(noted.get(part.name, ())) for part in fields(Due)))


def clear_due(con: Connection, done: Due, at: datetime) -> None:
    """Remove what was erased from the note; what was forgotten meanwhile stays due."""
    now = due(con)
    _write(con, {part.name: set(getattr(now, part.name)) - set(getattr(done, part.name)) for part in fields(Due)}, at)


def finish_cold_night(con: Connection, adapter_id: str, at: datetime) -> bool:
    """Clear the due cold night, unless the new adapter learned a record that was forgotten while it trained."""
    forgotten = tombstones_table.known(con, adapters_table.records_of(con, [adapter_id]))
    adapters_table.mark_learned_from(con, forgotten)  # it did not exist yet when the record was forgotten
    settings_table.put(con, settings_table.COLD_NIGHT_DUE, bool(forgotten), at)
    if forgotten:
        _note(con, Due(tuple(forgotten)), at)  # nor did its snapshot
    return not forgotten


def _note(con: Connection, more: Due, at: datetime) -> None:
    now = due(con)
    _write(con, {part.name: {*getattr(now, part.name), *getattr(more, part.name)} for part in fields(Due)}, at)


def _write(con: Connection, noted: dict[str, set[str]], at: datetime) -> None:
    settings_table.put(con, settings_table.ERASURE_DUE, {name: sorted(ids) for name, ids in noted.items()}, at)


def _empty(con: Connection, ids: frozenset[str], who: str, at: datetime) -> None:
    """Empty every column with the record's content."""
    reason = Reason("storage.forgotten_by", (("who", who),))
    records_table.set_status(con, ids, Status.FORGOTTEN, reason, at, only=tuple(Status))
    chosen = among(ids)
    with counting(con, RECORDS, ids):
        con.execute(
            f"""
            UPDATE records SET instruction = '', input = '', output = '', subject = '', feeling = '', author = '',
                source_name = '', fact = '', question_key = '', reasoning = '', happened_on = NULL
            WHERE {chosen.sql}
            """,
            chosen.values,
        )
    with batch(con, {"id": sorted(ids)}):
        con.execute("UPDATE record_versions SET content = '{}' WHERE record_id IN (SELECT id FROM batch)")
    text_index.index_records(con, ids)


NOTE = "forgotten.json"
"Replaces the files of an erased snapshot."


def erase_snapshot(folder: Path, at: datetime) -> bool:
    """Erase a snapshot's files but for a note; returns whether existing were any."""
    parts = [
        folder / name for name in (snapshots.MANIFEST, snapshots.RECORDS)
    ]  # manifest first: it makes the rest valid
    existing = [path for path in parts if path.exists()]
    if existing:
        write_json_atomic(folder / NOTE, {"id": folder.name, "erased_at": at.isoformat()})
    for path in existing:
        path.unlink()
    return bool(existing)


def erase_runs(runs: Path, snapshots: Collection[str], items: Collection[str]) -> None:
    """Erase checkpoints of trainings on these snapshots, and these items from the jobs' personal evaluation sets."""
    for path in runs.glob("*/job.json"):
        job = json.loads(path.read_text("utf-8"))
        if job["plan"]["snapshot_id"] in snapshots:
            for left in ("checkpoints", "twin"):
                shutil.rmtree(path.parent / left, ignore_errors=True)
        kept = [one for one in job["suite"] if one["id"] not in items]
        if len(kept) < len(job["suite"]):
            write_json_atomic(path, {**job, "suite": kept})


def erase_unfinished_calibrations(home: Home) -> None:
    """Erase what unfinished calibrations trained and asked. Raises LockTimeout while one runs."""
    if home.unfinished_calibrations.is_dir():
        with file_lock(home.calibration_lock, exclusive=True, wait_seconds=0):
            shutil.rmtree(home.unfinished_calibrations)


def erase_reports(reports: Path, items: Collection[str]) -> None:
    """Erase the questions and answers of these items."""
    if not items:
        return
    for path in (reports / "jobs").glob("*.json"):
        job = json.loads(path.read_text("utf-8"))
        asked = job.get("question_sets") or job["sheets"]  # the name until 0.2
        if any(item["id"] in items for one in asked for item in one["items"] or ()):
            path.unlink()
    for path in reports.glob("*.json"):
        report = json.loads(path.read_text("utf-8"))
        named = [one for one in report.get("items", ()) if one["id"] in items]
        for one in named:
            _empty_answers(one)
        if named:
            write_json_atomic(path, report)


def _empty_answers(result: dict[str, Any]) -> None:
    for answer in (result["free"], result.get("forced")):  # reports of before 0.3.0 may have a second answer
        if answer:
            answer["response"] = ""
