"""The table `adapters`: every trained adapter, what it was trained on and from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bonsai.errors import UnknownId
from storage.connect import Connection
from storage.sql import Row, from_utc, rows, to_json, to_utc, values

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
"Each adapter with its own snapshot and those of the adapters that it was warm-started from."


@dataclass(frozen=True, slots=True)
class Adapter:
    """A finished adapter folder and where it came from."""

    id: str
    base: str
    snapshot_id: str
    folder: str
    passport: Mapping[str, object]
    created_at: datetime
    parent: str = ""
    "The adapter that its training began from; empty for a cold start."
    needs_retrain: bool = False
    "It learned from a record that was forgotten since."


def add(con: Connection, adapter: Adapter) -> None:
    """Record a finished adapter. Safe to repeat."""
    con.execute(
        "INSERT OR IGNORE INTO adapters VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            adapter.id,
            adapter.base,
            adapter.snapshot_id,
            adapter.parent,
            adapter.folder,
            to_json(dict(adapter.passport)),
            adapter.needs_retrain,
            to_utc(adapter.created_at),
        ],
    )


def get(con: Connection, adapter_id: str) -> Adapter:
    """Raises UnknownId."""
    found = rows(con, "FROM adapters WHERE id = ?", [adapter_id])
    if not found:
        raise UnknownId("storage.unknown_adapter", id=adapter_id)
    return _adapter(found[0])


def list_adapters(con: Connection) -> list[Adapter]:
    """All, oldest first."""
    return [_adapter(row) for row in rows(con, "FROM adapters ORDER BY created_at, id")]


def page(con: Connection, limit: int, before: str = "") -> list[Adapter]:
    """The newest first; for the next page pass the last one's id as `before`."""
    where = (
        "WHERE row(created_at, id) < (SELECT row(created_at, id) FROM adapters WHERE id = $before)" if before else ""
    )
    query = f"FROM adapters {where} ORDER BY created_at DESC, id DESC LIMIT {int(limit)}"
    return [_adapter(row) for row in rows(con, query, {"before": before} if before else {})]


def ids_beginning(con: Connection, prefix: str, limit: int = 5) -> list[str]:
    """Some of the ids that begin with `prefix`, oldest first."""
    query = f"SELECT id FROM adapters WHERE starts_with(id, ?) ORDER BY created_at, id LIMIT {int(limit)}"
    return [str(one) for one in values(con, query, [prefix])]


def depth(con: Connection, adapter_id: str) -> int:
    """Warm trainings between an adapter and its cold ancestor."""
    found = values(con, f"{LINEAGE} SELECT count(DISTINCT ancestor) - 1 FROM lineage WHERE adapter = ?", [adapter_id])
    return int(found[0])


def learned_from(con: Connection, record_ids: Iterable[str]) -> tuple[str, ...]:
    """Ids of the adapters that were trained, or warm-started from one trained, on any of the records."""
    query = f"""{LINEAGE}
        SELECT DISTINCT adapter FROM lineage
        JOIN snapshot_records USING (snapshot_id) WHERE record_id IN (SELECT unnest(?)) ORDER BY 1
    """
    return tuple(values(con, query, [sorted(record_ids)]))  # no Arrow: a page that shows one record stays small


def mark_learned_from(con: Connection, record_ids: Iterable[str]) -> tuple[str, ...]:
    """Mark those adapters `needs_retrain`; their ids."""
    ids = learned_from(con, record_ids)
    con.execute("UPDATE adapters SET needs_retrain = true WHERE id IN (SELECT unnest(?))", [list(ids)])
    return ids


def records_of(con: Connection, adapter_ids: Iterable[str]) -> frozenset[str]:
    """Every own record that any of the adapters learned from."""
    query = f"""{LINEAGE}
        SELECT DISTINCT record_id FROM lineage
        JOIN snapshot_records USING (snapshot_id) WHERE adapter IN (SELECT unnest(?))
    """
    return frozenset(values(con, query, [sorted(adapter_ids)]))


def _adapter(row: Row) -> Adapter:
    return Adapter(**row | {"passport": json.loads(row["passport"]), "created_at": from_utc(row["created_at"])})
