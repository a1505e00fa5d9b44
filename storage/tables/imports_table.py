"""The table `imports`: one row for each finished import."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from datetime import datetime

from storage.connect import Connection
from storage.sql import from_utc, rows, to_utc


@dataclass(frozen=True, slots=True)
class Import:
    """The counts of one file: `read` = `new` + `duplicate` + `held_back` + `rejected`."""

    batch: str
    "Id of the import, on its records and rejects too."
    file: str
    sha256: str
    "Of the file's bytes."
    read: int
    new: int
    duplicate: int
    held_back: int
    rejected: int
    finished_at: datetime


def record_import(con: Connection, done: Import) -> None:
    """Write the counts of a finished import. Safe to repeat: the same batch replaces them."""
    stored = astuple(replace(done, finished_at=to_utc(done.finished_at)))
    con.execute("INSERT OR REPLACE INTO imports VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", list(stored))


def list_imports(con: Connection, limit: int | None = None) -> list[Import]:
    """Imports, newest first."""
    page = "" if limit is None else f"LIMIT {int(limit)}"
    found = rows(con, f"FROM imports ORDER BY finished_at DESC, batch {page}")
    return [Import(**row | {"finished_at": from_utc(row["finished_at"])}) for row in found]
