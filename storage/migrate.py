"""Schema migrations: numbered SQL files, each applied and recorded in one transaction.

    migrate(database, bonsai.__version__, now)    brings a new or older database to this version's schema

An applied file is never edited: a database with another recorded hash is refused, because its schema is unknown.
After https://github.com/simonw/sqlite-migrate.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources

from bonsai.errors import HomeError, IntegrityError
from storage.connect import Connection, Database
from storage.sql import rows, to_utc, values

RECORD_TABLE = """
CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY,
    name VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    bonsai_version VARCHAR NOT NULL,
    applied_at TIMESTAMP NOT NULL
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered SQL file."""

    number: int
    name: str
    "File name, e.g. `0001_records.sql`."
    sql: str

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the file."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@cache
def bundled() -> tuple[Migration, ...]:
    """The migrations of this version, in order."""
    folder = resources.files("storage") / "migrations"
    found = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return tuple(Migration(int(file.name[:4]), file.name, file.read_text("utf-8")) for file in found)


def migrate(
    database: Database, version: str, at: datetime, migrations: tuple[Migration, ...] | None = None
) -> tuple[str, ...]:
    """Apply the pending migrations; returns their names. Safe to repeat and to interrupt.

    Raises HomeError for a database of a newer Bonsai, IntegrityError when an applied file was edited.
    """
    known = bundled() if migrations is None else migrations
    with database.writing(create=True) as con:
        con.execute(RECORD_TABLE)
        waiting = pending(con, known)
    return tuple(step.name for step in waiting if _apply(database, step, version, at))


def pending(con: Connection, known: tuple[Migration, ...] | None = None) -> tuple[Migration, ...]:
    """The migrations that are not applied yet. Raises like `migrate`."""
    known = bundled() if known is None else known
    applied = {row["number"]: row for row in rows(con, "SELECT * FROM migrations")} if _has_record(con) else {}
    newest = max(applied, default=0)
    if newest > len(known):
        written_by = applied[newest]["bonsai_version"]
        raise HomeError("storage.newer_home", home=newest, known=len(known), version=written_by)
    for step in known:
        if step.number in applied and applied[step.number]["sha256"] != step.sha256:
            raise IntegrityError("storage.edited_migration", name=step.name, recorded=applied[step.number]["sha256"])
    return tuple(step for step in known if step.number not in applied)


def require_current(con: Connection) -> None:
    """Raises HomeError unless the database has this version's schema."""
    waiting = pending(con)
    if waiting:
        raise HomeError("storage.older_home", missing=", ".join(step.name for step in waiting))


def _has_record(con: Connection) -> bool:
    return bool(values(con, "SELECT 1 FROM duckdb_tables() WHERE table_name = 'migrations'"))


def _apply(database: Database, step: Migration, version: str, at: datetime) -> bool:
    """False when another process applied it first."""
    with database.writing() as con:
        if values(con, "SELECT 1 FROM migrations WHERE number = ?", [step.number]):
            return False
        con.execute(step.sql)
        con.execute(
            "INSERT INTO migrations VALUES (?, ?, ?, ?, ?)", [step.number, step.name, step.sha256, version, to_utc(at)]
        )
    return True
