"""Pages of records in several orders, by keyset: a page begins after the last record of the one before, whatever came
in between (Winand, use-the-index-luke.com/no-offset)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from bonsai.errors import UnknownId
from storage.connect import Connection
from storage.sql import rows
from storage.tables.record_rows import StoredRecord, to_stored
from storage.tables.records_table import DAY, RecordFilter, conditions

Sort = Literal["newest", "oldest", "happened", "subject"]
SORTS: tuple[Sort, ...] = get_args(Sort)


@dataclass(frozen=True, slots=True)
class _Order:
    """A key, and within equal keys the order of arrival."""

    key: str
    "An expression; empty: the order of arrival alone."
    descending: bool
    newest_first: bool = True

    @property
    def sql(self) -> str:
        """What stands behind ORDER BY."""
        arrival = f"sequence {'DESC' if self.newest_first else 'ASC'}"
        return f"{self.key} {'DESC' if self.descending else 'ASC'}, {arrival}" if self.key else arrival

    @property
    def beyond(self) -> str:
        """What comes after the record whose values are `$key` and `$sequence`."""
        later = f"sequence {'<' if self.newest_first else '>'} $sequence"
        if not self.key:
            return later
        return f"({self.key} {'<' if self.descending else '>'} $key OR {self.key} = $key AND {later})"


_ORDERS: dict[Sort, _Order] = {
    "newest": _Order("", descending=True),
    "oldest": _Order("", descending=False, newest_first=False),
    "happened": _Order(DAY, descending=True),
    "subject": _Order("CASE WHEN subject = '' THEN chr(1114111) ELSE subject END", descending=False),
}
"""Whoever has no subject comes last: chr(1114111) is behind every other character."""


def page(con: Connection, wanted: RecordFilter, limit: int, sort: Sort, after: str = "") -> list[StoredRecord]:
    """Records in an order; for the next page pass the last one's full id as `after`. Raises UnknownId."""
    order = _ORDERS[sort]
    where, parameters = conditions(wanted)
    if after:
        where.append(order.beyond)
        parameters |= _place(con, order, after)
    clause = f"WHERE {' AND '.join(where)}" if where else ""
    chosen = f"SELECT rowid FROM records {clause} ORDER BY {order.sql} LIMIT {int(limit)}"
    query = f"FROM records WHERE rowid IN ({chosen}) ORDER BY {order.sql}"  # whole rows of those alone are read
    return [to_stored(row) for row in rows(con, query, parameters)]


def at_places(con: Connection, places: Sequence[int]) -> dict[int, StoredRecord]:
    """A few records by their `sequence`, in the order of the places.

    One look through a column of numbers. By the ids' index DuckDB keeps a block of 256 KB for each text until all are
    there: 50 records from everywhere did not fit into the dashboard's memory.
    """
    query = "FROM records WHERE sequence IN (SELECT unnest(?))"
    found = {int(row["sequence"]): to_stored(row) for row in rows(con, query, [list(places)])}
    return {place: found[place] for place in places if place in found}


def _place(con: Connection, order: _Order, record_id: str) -> dict[str, object]:
    key = f"{order.key} AS key, " if order.key else ""
    found = rows(con, f"SELECT {key}sequence FROM records WHERE id = ?", [record_id])
    if not found:
        raise UnknownId("storage.unknown_record", id=record_id[:12])
    return found[0]
