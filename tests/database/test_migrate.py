"""Every database has exactly the shape of this version, or is refused with a word on what to do."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from bonsai.config.settings import DatabaseSettings
from bonsai.errors import HomeError, IntegrityError
from storage.connect import Database
from storage.home import Home, create_home, open_home
from storage.migrate import Migration, bundled, migrate, require_current

FIRST = Migration(1, "0001_a.sql", "CREATE TABLE a (x INTEGER)")
SECOND = Migration(2, "0002_b.sql", "ALTER TABLE a ADD COLUMN y INTEGER; INSERT INTO a VALUES (1, 2)")
BROKEN = Migration(2, "0002_b.sql", "INSERT INTO a VALUES (1); CREATE TABLE a (x INTEGER)")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "new.duckdb", 5, "200MB", 1)


def test_the_bundled_files_are_numbered_without_a_gap() -> None:
    assert [step.number for step in bundled()] == list(range(1, len(bundled()) + 1))
    assert len(bundled()) >= 3


def test_migrations_apply_once_in_order(database: Database, at: datetime) -> None:
    assert migrate(database, "0.1", at, (FIRST,)) == ("0001_a.sql",)
    assert migrate(database, "0.2", at, (FIRST, SECOND)) == ("0002_b.sql",)
    assert migrate(database, "0.3", at, (FIRST, SECOND)) == ()
    with database.reading() as con:
        assert con.execute("SELECT x, y FROM a").fetchall() == [(1, 2)]
        found = con.execute("SELECT number, bonsai_version FROM migrations ORDER BY number").fetchall()
        assert found == [(1, "0.1"), (2, "0.2")]


def test_a_migration_that_fails_leaves_nothing_of_itself(database: Database, at: datetime) -> None:
    with pytest.raises(duckdb.Error):
        migrate(database, "0.1", at, (FIRST, BROKEN))
    with database.reading() as con:
        assert con.execute("SELECT count(*) FROM a").fetchall() == [(0,)]
    assert migrate(database, "0.1", at, (FIRST, SECOND)) == ("0002_b.sql",)


def test_a_killed_migration_is_made_up_for(database: Database, at: datetime) -> None:
    script = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from storage import migrate
from storage.connect import Database
database = Database(Path(sys.argv[1]), 5, "200MB", 1)
applied = migrate._apply
def killed(database, step, version, at):
    if step.number == 2:
        with database.writing() as con:
            con.execute(step.sql)
            os.kill(os.getpid(), signal.SIGKILL)
    return applied(database, step, version, at)
migrate._apply = killed
migrate.migrate(database, "0.1", datetime(2026, 11, 21, tzinfo=UTC))
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script, str(database.path)], cwd=root, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert migrate(database, "0.1", at) == tuple(step.name for step in bundled()[1:])
    with database.reading() as con:
        require_current(con)


def test_an_edited_file_is_refused(database: Database, at: datetime) -> None:
    migrate(database, "0.1", at, (FIRST,))
    with pytest.raises(IntegrityError, match=r"0001_a\.sql was changed"):
        migrate(database, "0.1", at, (replace(FIRST, sql=FIRST.sql + " "), SECOND))


def test_the_home_of_a_newer_bonsai_is_refused(home: Home, at: datetime, settings: DatabaseSettings) -> None:
    number = len(bundled()) + 1
    with home.database.writing() as con:
        con.execute("INSERT INTO migrations VALUES (?, 'later.sql', '', '9.9', TIMESTAMP '2030-01-01')", [number])
    with pytest.raises(HomeError, match=rf"written by Bonsai 9\.9 .*{number}.*{number - 1}"):
        open_home(home.root, settings)
    with pytest.raises(HomeError, match="newer"):
        create_home(home.root, at, settings)


def test_the_home_of_an_older_bonsai_is_told_to_migrate(
    tmp_path: Path, at: datetime, settings: DatabaseSettings
) -> None:
    root = tmp_path / "old"
    root.mkdir()
    migrate(Database(root / "bonsai.duckdb", 5, "200MB", 1), "0.0", at, bundled()[:1])
    with pytest.raises(HomeError, match=r"0002_nights\.sql.*bonsai db migrate"):
        open_home(root, settings)
