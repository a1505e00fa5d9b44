"""Ids by their beginnings: one rule for every table, so that people need not type 64 characters."""

from __future__ import annotations

from collections.abc import Sequence

from bonsai.errors import UnknownId, UsageError
from storage.connect import Connection
from storage.sql import values

NAMED = 5
"Ids that an ambiguous beginning is told to mean."
MORE = 8
"Characters beyond the beginning that are shown of each."


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
