"""SQL helpers of every table: rows by column name, times, batches.

Results are always fetched whole: with a half-read result DuckDB refuses the connection's next statement.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from storage.connect import Connection

if TYPE_CHECKING:
    from numpy.typing import NDArray


from bonsai.errors import UnknownId, UsageError

FEW_ROWS = 200
"Up to here a batch is passed as lists; above, as Arrow: 500,000 rows a second, where executemany writes 2,000."
Row = dict[str, Any]
"One row by column name; the `*_table` modules turn it into a dataclass at once."


@dataclass(frozen=True, slots=True)
class Condition:
    """A WHERE condition and its named parameters."""

    sql: str
    values: dict[str, object]


def rows(con: Connection, query: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Row]:
    """All rows of a query."""
    con.execute(query, values)
    names = [column[0] for column in con.description or ()]
    return [dict(zip(names, found, strict=True)) for found in con.fetchall()]


def values(con: Connection, query: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
    """The first column of a query."""
    return [found[0] for found in con.execute(query, parameters).fetchall()]


def changed(con: Connection, statement: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> int:
    """Run an INSERT, UPDATE or DELETE; returns the number of changed rows."""
    return int(con.execute(statement, parameters).fetchall()[0][0])


@contextmanager
def batch(con: Connection, columns: Mapping[str, Sequence[object] | NDArray[Any]]) -> Iterator[None]:
    """The columns as the table `batch` during the block; arrays keep their type, which Arrow guesses for lists."""
    if 0 < max(map(len, columns.values()), default=0) <= FEW_ROWS:
        given = {
            name: column.tolist() if hasattr(column, "tolist") else list(column) for name, column in columns.items()
        }
        lists = ", ".join(f"unnest(${name}) AS {name}" for name in given)
        con.execute(f"CREATE OR REPLACE TEMP TABLE batch AS SELECT {lists}", given)
        yield  # after an error the table goes with the connection: an aborted transaction drops nothing
        con.execute("DROP TABLE temp.batch")
        return
    import pyarrow as pa  # imports pandas: a second and 80 MB

    con.register("batch", pa.table({name: as_column(column) for name, column in columns.items()}))
    try:
        yield
    finally:
        con.unregister("batch")


def as_column(column: Sequence[object] | NDArray[Any]) -> Sequence[object] | NDArray[Any]:
    """An array as it is, any other sequence as a list, for Arrow."""
    return column if hasattr(column, "dtype") else list(column)


def among(ids: Iterable[str]) -> Condition:
    """Rows of these ids: a few through the primary key's index, more by one scan, which is faster then."""
    named = sorted(set(ids))
    if len(named) > FEW_ROWS:
        return Condition("id IN (SELECT unnest($ids))", {"ids": named})
    values = {f"id{number}": one for number, one in enumerate(named)}
    return Condition(f"id IN ({', '.join(f'${name}' for name in values) or 'NULL'})", dict(values))


def rows_of(table: str, ids: Iterable[str]) -> Condition:
    """`among`, for use with other conditions: with several, DuckDB uses no index and scans."""
    chosen = among(ids)
    return Condition(f"rowid IN (SELECT rowid FROM {table} WHERE {chosen.sql})", chosen.values)


def to_utc(moment: datetime) -> datetime:
    """An aware time as naive UTC, as stored (TIMESTAMPTZ would need pytz)."""
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone: {moment}")
    return moment.astimezone(UTC).replace(tzinfo=None)


def from_utc(stored: datetime) -> datetime:
    """A stored time as aware UTC."""
    return stored.replace(tzinfo=UTC)


def from_utc_or_none(stored: datetime | None) -> datetime | None:
    """`from_utc` for nullable columns."""
    return None if stored is None else from_utc(stored)


def to_json(value: object) -> str:
    """JSON text with sorted keys."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


NAMED = 5
"Ids that the error for an ambiguous prefix names."
MORE = 8
"Characters beyond the prefix that are shown of each."


def full_id(con: Connection, table: str, prefix: str, *, unknown: str, column: str = "id") -> str:
    """The id that `prefix` is, else the only one of the table that begins with it.

    Raises UnknownId with the text `unknown` for none, UsageError for several.
    """
    found = values(con, f"SELECT {column} FROM {table} WHERE {column} = ?", [prefix])  # by its index
    if not found and prefix:
        query = f"SELECT {column} FROM {table} WHERE starts_with({column}, ?) LIMIT {NAMED}"
        found = values(con, query, [prefix])
    return only_one(sorted(map(str, found)), prefix, unknown)


def only_one(found: Sequence[str], prefix: str, unknown: str) -> str:
    """The one that was found to begin with `prefix`. Raises UnknownId, UsageError."""
    if len(found) > 1:
        shown = ", ".join(one[: len(prefix) + MORE] for one in found[:NAMED])
        raise UsageError("storage.ambiguous_id", id=prefix, found=shown)
    if not found:
        raise UnknownId(unknown, id=prefix)
    return found[0]
