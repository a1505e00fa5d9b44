"""The table `tombstones`: ids of forgotten records, which `insert_records` refuses."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from storage.connect import Connection
from storage.sql import among, batch, to_utc, values


def add_tombstones(con: Connection, ids: Iterable[str], who: str, at: datetime) -> None:
    """Block these ids for good. Safe to repeat."""
    with batch(con, {"id": list(ids)}):
        con.execute("INSERT OR IGNORE INTO tombstones SELECT id, ?, ? FROM batch", [to_utc(at), who])


def has_any(con: Connection) -> bool:
    """Whether anything was ever forgotten."""
    return bool(values(con, "SELECT 1 FROM tombstones LIMIT 1"))


def known(con: Connection, ids: Iterable[str]) -> frozenset[str]:
    """The forgotten ones among `ids`."""
    chosen = among(ids)
    return frozenset(values(con, f"SELECT id FROM tombstones WHERE {chosen.sql}", chosen.values))
