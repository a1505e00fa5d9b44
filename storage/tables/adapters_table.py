"""The table `adapters`: every trained adapter, its lineage, and the records that it learned."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from bonsai.errors import UnknownId
from storage.connect import Connection
from storage.sql import Row, from_utc, full_id, rows, to_json, to_utc, values

LINEAGE = """
    WITH RECURSIVE lineage (adapter, ancestor, snapshot_id) AS (
        SELECT id, id, snapshot_id FROM adapters
        UNION
        SELECT lineage.adapter, parent.id, parent.snapshot_id
        FROM lineage
        JOIN adapters child ON child.id = lineage.ancestor
        JOIN adapters parent ON parent.id = child.parent
    )
"""
"(adapter, ancestor, the ancestor's snapshot), each adapter being its own ancestor."


@dataclass(frozen=True, slots=True)
class Adapter:
    """A finished adapter folder and its provenance."""

    id: str
    base: str
    snapshot_id: str
    folder: str
    manifest: Mapping[str, object]
    created_at: datetime
    parent: str = ""
    "The adapter that it was warm-started from; empty for a cold start."
    needs_retrain: bool = False
    "It learned from a record that has been forgotten since."


def add(con: Connection, adapter: Adapter) -> None:
    """Insert a finished adapter. Safe to repeat."""
    con.execute(
        "INSERT OR IGNORE INTO adapters VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            adapter.id,
            adapter.base,
            adapter.snapshot_id,
            adapter.parent,
            adapter.folder,
            to_json(dict(adapter.manifest)),
            adapter.needs_retrain,
            to_utc(adapter.created_at),
        ],
    )


def get(con: Connection, adapter_id: str) -> Adapter:
    """One adapter. Raises UnknownId."""
    found = rows(con, "FROM adapters WHERE id = ?", [adapter_id])
    if not found:
        raise UnknownId("storage.unknown_adapter", id=adapter_id)
    return _adapter(found[0])


def list_adapters(con: Connection) -> list[Adapter]:
    """All, oldest first."""
    return [_adapter(row) for row in rows(con, "FROM adapters ORDER BY created_at, id")]


def page(con: Connection, limit: int, before: str = "") -> list[Adapter]:
    """One page, newest first; the cursor `before` is the last id of the page before."""
    where = (
        "WHERE row(created_at, id) < (SELECT row(created_at, id) FROM adapters WHERE id = $before)" if before else ""
    )
    query = f"FROM adapters {where} ORDER BY created_at DESC, id DESC LIMIT {int(limit)}"
    return [_adapter(row) for row in rows(con, query, {"before": before} if before else {})]


def resolve(con: Connection, prefix: str) -> str:
    """The full id of an adapter, by an unambiguous prefix. Raises UnknownId, UsageError."""
    return full_id(con, "adapters", prefix, unknown="pipeline.unknown_adapter")


def depth(con: Connection, adapter_id: str) -> int:
    """Number of warm starts since the cold ancestor."""
    found = values(con, f"{LINEAGE} SELECT count(DISTINCT ancestor) - 1 FROM lineage WHERE adapter = ?", [adapter_id])
    return int(found[0])


def learned_from(con: Connection, record_ids: Iterable[str]) -> tuple[str, ...]:
    """Ids of the adapters that learned any of the records, themselves or through an ancestor."""
    query = f"""{LINEAGE}
        SELECT DISTINCT adapter FROM lineage
        JOIN snapshot_records USING (snapshot_id) WHERE record_id IN (SELECT unnest(?)) ORDER BY 1
    """
    return tuple(values(con, query, [sorted(record_ids)]))  # not Arrow: pages of one record need no pandas


def mark_learned_from(con: Connection, record_ids: Iterable[str]) -> tuple[str, ...]:
    """Mark those adapters `needs_retrain`; returns their ids."""
    ids = learned_from(con, record_ids)
    con.execute("UPDATE adapters SET needs_retrain = true WHERE id IN (SELECT unnest(?))", [list(ids)])
    return ids


def records_of(con: Connection, adapter_ids: Iterable[str]) -> frozenset[str]:
    """All own records that the adapters learned, ancestors included."""
    query = f"""{LINEAGE}
        SELECT DISTINCT record_id FROM lineage
        JOIN snapshot_records USING (snapshot_id) WHERE adapter IN (SELECT unnest(?))
    """
    return frozenset(values(con, query, [sorted(adapter_ids)]))


def _adapter(row: Row) -> Adapter:
    known = {name: value for name, value in row.items() if name != "passport"}  # the manifest's column
    return Adapter(**known | {"manifest": json.loads(row["passport"]), "created_at": from_utc(row["created_at"])})


@dataclass(frozen=True, slots=True)
class LearnedRecord:
    """One record of a snapshot."""

    id: str
    place: int
    "Row number; the cursor of the next page."
    split: str
    "train, validation"
    instruction: str
    "Empty when forgotten."
    subject: str
    happened_on: date | None
    status: str


def ancestors(con: Connection, adapter: Adapter) -> list[Adapter]:
    """The chain of warm starts, nearest first; empty after a cold start."""
    found, seen = [], {adapter.id}
    while adapter.parent and adapter.parent not in seen:
        adapter = get(con, adapter.parent)
        seen.add(adapter.id)
        found.append(adapter)
    return found


def children(con: Connection, adapter_id: str) -> list[str]:
    """Ids of the adapters warm-started from it, oldest first."""
    return [
        str(one) for one in values(con, "SELECT id FROM adapters WHERE parent = ? ORDER BY created_at", [adapter_id])
    ]


def learned_records(con: Connection, snapshot_id: str, limit: int, after: int = -1) -> list[LearnedRecord]:
    """One page of a snapshot's own records, in its order; the cursor `after` is the last row's `place`."""
    query = """
        SELECT sequence, rowid AS place, split FROM snapshot_records
        WHERE snapshot_id = ? AND rowid > ? AND sequence IS NOT NULL ORDER BY rowid LIMIT ?
    """
    places = {
        int(row[0]): (int(row[1]), str(row[2])) for row in con.execute(query, [snapshot_id, after, limit]).fetchall()
    }
    query_records = """
        SELECT sequence, id, instruction, subject, happened_on, status FROM records
        WHERE sequence IN (SELECT unnest(?))
    """
    found = {int(row.pop("sequence")): row for row in rows(con, query_records, [[*places]])}
    return [LearnedRecord(place=place, split=split, **found[one]) for one, (place, split) in places.items()]


def own_record_counts(con: Connection, snapshots: Collection[str]) -> dict[str, int]:
    """Number of own records in each snapshot."""
    query = "SELECT id, own_records FROM snapshots WHERE id IN (SELECT unnest(?))"
    return {str(found): int(count) for found, count in con.execute(query, [list(snapshots)]).fetchall()}
