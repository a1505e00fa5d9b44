"""The table `suite_items`: the owner's suite, questions frozen from the owner's own records.

The records whose wording became an item never train while it judges (`records_table.eligible` leaves them out).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from storage import adapters_table
from storage.connect import Connection
from storage.sql import Row, batch, changed, from_utc, from_utc_or_none, rows, to_json, to_utc, values


@dataclass(frozen=True, slots=True)
class SuiteItem:
    """One frozen question."""

    id: str
    cluster: str
    "All wordings and both languages of one fact."
    item: Mapping[str, object]
    "The fields of `bonsai.benchmark.questions.Item`; empty after a forgetting."
    record_ids: tuple[str, ...]
    "The records whose wording this is: held out of training."
    frozen_at: datetime
    retired_at: datetime | None = None
    retired_because: str = ""


def freeze(con: Connection, items: Iterable[SuiteItem]) -> int:
    """Add items; how many were new. An item that is there already stays as it was frozen: safe to repeat."""
    return sum(
        changed(
            con,
            "INSERT OR IGNORE INTO suite_items VALUES (?, ?, ?, ?, ?, NULL, '')",
            [one.id, one.cluster, to_json(dict(one.item)), list(one.record_ids), to_utc(one.frozen_at)],
        )
        for one in items
    )


def active_items(con: Connection) -> list[SuiteItem]:
    """The items that judge now, in a fixed order."""
    return [_item(row) for row in rows(con, "FROM suite_items WHERE retired_at IS NULL ORDER BY id")]


def held_out(con: Connection) -> frozenset[str]:
    """Ids of the records that do not train because their wording is an item."""
    query = "SELECT DISTINCT unnest(record_ids) FROM suite_items WHERE retired_at IS NULL"
    return frozenset(values(con, query))


def trained_items(con: Connection, adapter_ids: Iterable[str]) -> frozenset[str]:
    """Items whose own wording one of the adapters learned after all (frozen too late): left out of a comparison."""
    learned = adapters_table.records_of(con, adapter_ids)
    return frozenset(one.id for one in active_items(con) if learned.intersection(one.record_ids))


def retire(con: Connection, item_ids: Iterable[str], because: str, at: datetime) -> int:
    """Let items judge no more; their records may train again. How many were retired. Safe to repeat."""
    with batch(con, {"id": list(item_ids)}):
        return changed(
            con,
            """
            UPDATE suite_items SET retired_at = ?, retired_because = ?
            WHERE retired_at IS NULL AND id IN (SELECT id FROM batch)
            """,
            [to_utc(at), because],
        )


def forget(con: Connection, record_ids: Iterable[str], at: datetime) -> tuple[str, ...]:
    """Retire and empty the items made of forgotten records; their ids."""
    query = "SELECT id FROM suite_items WHERE list_has_any(record_ids, ?) AND item <> '{}' ORDER BY id"
    ids = tuple(values(con, query, [sorted(record_ids)]))
    retire(con, ids, "forgotten", at)
    con.execute("UPDATE suite_items SET item = '{}' WHERE id IN (SELECT unnest(?))", [list(ids)])
    return ids


def _item(row: Row) -> SuiteItem:
    return SuiteItem(
        **row
        | {
            "item": json.loads(row["item"]),
            "record_ids": tuple(row["record_ids"]),
            "frozen_at": from_utc(row["frozen_at"]),
            "retired_at": from_utc_or_none(row["retired_at"]),
        }
    )
