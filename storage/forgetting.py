"""To forget a record: its texts go wherever the database holds them, its id stays so that nothing brings it back.

What learned from it is named and marked, and a cold night is due: only training anew takes it out of an adapter. The
same transaction notes what is still to be erased from the home's files (`bonsai.actions.forget` does it),
so that a kill in between forgets nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime

from bonsai.domain.reasons import Reason
from bonsai.domain.records import Status
from storage.connect import Connection
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
    """What a forgetting touched."""

    records: tuple[str, ...]
    "Ids: the record, and what edits made of it or made it of."
    adapters: tuple[str, ...]
    "Adapters that learned from one of them, warm starts included; now marked `needs_retrain`."
    snapshots: tuple[str, ...]
    "Snapshots that hold one of them."
    suite_items: tuple[str, ...]
    "Items of the owner's suite that were made of one of them; now retired and empty."
    rejects: int = 0
    "Rejects that held its texts; now empty."


@dataclass(frozen=True, slots=True)
class Due:
    """Whose texts are still to be erased from files."""

    records: tuple[str, ...] = ()
    suite_items: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    "Names of submissions in `inbox/failed`."


def texts_of(con: Connection, record_id: str) -> list[tuple[str, str]]:
    """(instruction, output) of a record and of its versions, while they are there. Raises UnknownId."""
    ids = record_versions_table.family(con, records_table.resolve(con, record_id))
    return [(one.record.instruction, one.record.output) for one in records_table.get_many(con, ids)]


def forget(con: Connection, record_id: str, who: str, at: datetime, unreadable: Iterable[str] = ()) -> Forgotten:
    """Forget a record for good, with all its versions. Safe to repeat. Raises UnknownId.

    `unreadable`: submissions that hold its texts though they are no records; noted, because nothing will tell later.
    """
    told = texts_of(con, record_id)
    rejects = rejects_table.forget(con, told, at)
    ids = record_versions_table.family(con, records_table.resolve(con, record_id))
    questions_table.forget(con, ids, told)
    tombstones_table.bury(con, ids, who, at)
    _empty(con, ids, who, at)
    items = personal_set_table.forget(con, ids, at)
    adapters = adapters_table.mark_learned_from(con, ids)
    if adapters:
        settings_table.put(con, settings_table.COLD_NIGHT_DUE, True, at)
    _note(con, Due(tuple(ids), items, tuple(unreadable)), at)
    return Forgotten(tuple(sorted(ids)), adapters, snapshots_table.holding(con, ids), items, rejects)


def due(con: Connection) -> Due:
    """What is still to be erased; nothing at all for most homes at most times."""
    noted = settings_table.get(con, settings_table.ERASURE_DUE, {})
    return Due(*(tuple(noted.get(part.name, ())) for part in fields(Due)))


def erased(con: Connection, done: Due, at: datetime) -> None:
    """Take back the note of what was due, but for what was forgotten meanwhile."""
    now = due(con)
    _write(con, {part.name: set(getattr(now, part.name)) - set(getattr(done, part.name)) for part in fields(Due)}, at)


def cold_night_done(con: Connection, adapter_id: str, at: datetime) -> bool:
    """No cold night is due any more, unless the new adapter learned what was forgotten while it trained."""
    forgotten = tombstones_table.known(con, adapters_table.records_of(con, [adapter_id]))
    adapters_table.mark_learned_from(con, forgotten)  # it was not there yet when the record was forgotten
    settings_table.put(con, settings_table.COLD_NIGHT_DUE, bool(forgotten), at)
    if forgotten:
        _note(con, Due(tuple(forgotten)), at)  # nor was its snapshot
    return not forgotten


def _note(con: Connection, more: Due, at: datetime) -> None:
    now = due(con)
    _write(con, {part.name: {*getattr(now, part.name), *getattr(more, part.name)} for part in fields(Due)}, at)


def _write(con: Connection, noted: dict[str, set[str]], at: datetime) -> None:
    settings_table.put(con, settings_table.ERASURE_DUE, {name: sorted(ids) for name, ids in noted.items()}, at)


def _empty(con: Connection, ids: frozenset[str], who: str, at: datetime) -> None:
    """Take out everything that says what the record said."""
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
