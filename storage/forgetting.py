"""To forget a record: its texts go wherever the database holds them, its id stays so that nothing brings it back.

What learned from it is named and marked, and a cold night is due: only training anew takes it out of an adapter.
The texts remain in the snapshot folders named in the result and in files that people keep.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bonsai.records import Status
from storage import adapters_table, record_versions_table, records_table, settings_table, suite_table, tombstones_table
from storage.connect import Connection
from storage.record_rows import Reason
from storage.sql import batch, values


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


def forget(con: Connection, record_id: str, who: str, at: datetime) -> Forgotten:
    """Forget a record for good, with all its versions. Safe to repeat. Raises UnknownId."""
    ids = record_versions_table.family(con, records_table.resolve(con, record_id))
    tombstones_table.bury(con, ids, who, at)
    _empty(con, ids, who, at)
    items = suite_table.forget(con, ids, at)
    adapters = adapters_table.mark_learned_from(con, ids)
    if adapters:
        settings_table.put(con, settings_table.COLD_NIGHT_DUE, True, at)
    with batch(con, {"record_id": sorted(ids)}):
        query = "SELECT DISTINCT snapshot_id FROM snapshot_records SEMI JOIN batch USING (record_id) ORDER BY 1"
        snapshots = tuple(values(con, query))
    return Forgotten(tuple(sorted(ids)), adapters, snapshots, items)


def cold_night_done(con: Connection, adapter_id: str, at: datetime) -> bool:
    """No cold night is due any more, unless the new adapter learned what was forgotten while it trained."""
    forgotten = tombstones_table.known(con, adapters_table.records_of(con, [adapter_id]))
    adapters_table.mark_learned_from(con, forgotten)  # it was not there yet when the record was forgotten
    settings_table.put(con, settings_table.COLD_NIGHT_DUE, bool(forgotten), at)
    return not forgotten


def _empty(con: Connection, ids: frozenset[str], who: str, at: datetime) -> None:
    """Take out everything that says what the record said."""
    reason = Reason("storage.forgotten_by", (("who", who),))
    records_table.set_status(con, ids, Status.FORGOTTEN, reason, at, only=tuple(Status))
    with batch(con, {"id": sorted(ids)}):
        con.execute(
            """
            UPDATE records SET instruction = '', input = '', output = '', subject = '', feeling = '', author = '',
                source_name = '', fact = '', question_key = '', reasoning = '', happened_on = NULL
            WHERE id IN (SELECT id FROM batch)
            """
        )
        con.execute("UPDATE record_versions SET content = '{}' WHERE record_id IN (SELECT id FROM batch)")
