"""Where an adapter comes from, down to single records: its ancestors, its descendants, what each of them learned."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from storage.connect import Connection
from storage.sql import rows, values
from storage.tables import adapters_table
from storage.tables.adapters_table import Adapter


@dataclass(frozen=True, slots=True)
class LearnedRecord:
    """A record of a snapshot."""

    id: str
    place: int
    "Where it stands among all; pages go on after it."
    split: str
    "train, validation"
    instruction: str
    "Empty after a forgetting."
    subject: str
    happened_on: date | None
    status: str


def ancestors(con: Connection, adapter: Adapter) -> list[Adapter]:
    """The chain of warm starts, nearest first; empty for a cold one."""
    found, seen = [], {adapter.id}
    while adapter.parent and adapter.parent not in seen:
        adapter = adapters_table.get(con, adapter.parent)
        seen.add(adapter.id)
        found.append(adapter)
    return found


def children(con: Connection, adapter_id: str) -> list[str]:
    """Ids of the adapters that were warm-started from it, oldest first."""
    return [
        str(one) for one in values(con, "SELECT id FROM adapters WHERE parent = ? ORDER BY created_at", [adapter_id])
    ]


def learned(con: Connection, snapshot_id: str, limit: int, after: int = -1) -> list[LearnedRecord]:
    """Own records of a snapshot in its order; for the next page pass the last one's place as `after`."""
    query = """
        SELECT sequence, rowid AS place, split FROM snapshot_records
        WHERE snapshot_id = ? AND rowid > ? AND sequence IS NOT NULL ORDER BY rowid LIMIT ?
    """
    held = {
        int(row[0]): (int(row[1]), str(row[2])) for row in con.execute(query, [snapshot_id, after, limit]).fetchall()
    }
    told = """
        SELECT sequence, id, instruction, subject, happened_on, status FROM records
        WHERE sequence IN (SELECT unnest(?))
    """
    found = {int(row.pop("sequence")): row for row in rows(con, told, [[*held]])}
    return [LearnedRecord(place=place, split=split, **found[one]) for one, (place, split) in held.items()]


def own_records(con: Connection, snapshots: Collection[str]) -> dict[str, int]:
    """How many own records each of the snapshots holds."""
    query = "SELECT id, own_records FROM snapshots WHERE id IN (SELECT unnest(?))"
    return {str(found): int(count) for found, count in con.execute(query, [list(snapshots)]).fetchall()}
