"""The table `tombstones`: ids of records that a person had forgotten; `insert_records` refuses them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from storage.connect import Connection
from storage.sql import among, batch, to_utc, values


def bury(con: Connection, ids: Iterable[str], who: str, at: datetime) -> None:
    """Remember that these ids are never to come back. Safe to repeat."""
    with batch(con, {"id": list(ids)}):
        con.execute("INSERT OR IGNORE INTO tombstones SELECT id, ?, ? FROM batch", [to_utc(at), who])


def any_there(con: Connection) -> bool:
    """Whether anything was ever forgotten here."""
    return bool(values(con, "SELECT 1 FROM tombstones LIMIT 1"))


def known(con: Connection, ids: Iterable[str]) -> frozenset[str]:
    """Those of `ids` that are forgotten."""
    chosen = among(ids)
    return frozenset(values(con, f"SELECT id FROM tombstones WHERE {chosen.sql}", chosen.values))
