"""One writer or many readers, in many processes; who waits too long is told who is in the way; a kill harms nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from bonsai.errors import HomeError, IntegrityError, LockTimeout, NoRoom
from storage.connect import Database
from storage.home import Home
from storage.tables import settings_table

ROOT = Path(__file__).parents[2]
OPEN = """
import sys, os, signal, time
from pathlib import Path
from storage.connect import Database
database = Database(Path(sys.argv[1]), 30, "200MB", 1)
"""
HOLD = OPEN + "with database.{how}() as con:\n    print('ready', flush=True)\n    sys.stdin.read()\n"
COUNT = (
    OPEN
    + """
for _ in range(15):
    with database.writing() as con:
        number = con.execute("SELECT value FROM counter").fetchall()[0][0]
        time.sleep(0.001)
        con.execute("UPDATE counter SET value = ?", [number + 1])
"""
)
READ = (
    OPEN
    + """
print("ready", flush=True)
for _ in range(10**9):
    with database.reading() as con:
        time.sleep(0.02)
"""
)
KILLED_BEFORE_COMMIT = (
    OPEN
    + """
with database.writing() as con:
    con.execute("UPDATE counter SET value = value + 1000")
    con.execute("INSERT INTO numbers SELECT range FROM range(50000)")
    os.kill(os.getpid(), signal.SIGKILL)
"""
)
KILLED_AFTER_COMMIT = (
    OPEN
    + """
with database.writing() as con:
    con.execute("UPDATE counter SET value = value + 1")
    con.execute("COMMIT")
    os.kill(os.getpid(), signal.SIGKILL)
"""
)


def start(script: str, database: Database) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", script, str(database.path)]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)


@contextmanager
def holder(how: str, database: Database) -> Iterator[subprocess.Popen[str]]:
    """Another process that reads or writes until the block ends."""
    with start(HOLD.format(how=how), database) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.stdin.close()
            process.wait(20)


@pytest.fixture
def database(home: Home) -> Database:
    with home.database.writing() as con:
        con.execute("CREATE TABLE counter AS SELECT 0 AS value")
        con.execute("CREATE TABLE numbers (value BIGINT)")
    return replace(home.database, lock_wait_seconds=0.2)


def count(database: Database) -> int:
    with database.reading() as con:
        assert con.execute("SELECT count(*) FROM numbers").fetchall() == [(0,)]
        return int(con.execute("SELECT value FROM counter").fetchall()[0][0])


def test_readers_share(database: Database) -> None:
    with holder("reading", database), database.reading() as con:
        assert con.execute("SELECT value FROM counter").fetchall() == [(0,)]


@pytest.mark.parametrize("how", ["reading", "writing"])
def test_who_waits_for_a_writer_is_told_its_process(database: Database, how: str) -> None:
    with holder("writing", database) as process:
        with pytest.raises(LockTimeout) as caught, getattr(database, how)():
            pass
        assert str(database.path) in str(caught.value)
        assert f"process {process.pid}" in str(caught.value)
        assert "0.2 s" in str(caught.value)
    assert count(database) == 0


def test_a_writer_waits_for_readers_and_no_dead_writer_is_blamed(database: Database) -> None:
    with start(KILLED_BEFORE_COMMIT, database) as killed:
        assert killed.wait(20) == -signal.SIGKILL
    with holder("reading", database), pytest.raises(LockTimeout, match="another process"), database.writing():
        pass


def test_readers_that_never_pause_do_not_keep_a_writer_out(database: Database) -> None:
    readers = [start(READ, database) for _ in range(3)]
    try:
        assert [reader.stdout and reader.stdout.readline() for reader in readers] == ["ready\n"] * 3
        for number in range(10):
            with replace(database, lock_wait_seconds=10).writing() as con:
                con.execute("UPDATE counter SET value = ?", [number])
    finally:
        for reader in readers:
            reader.kill()
            reader.communicate()


def test_within_one_process_threads_wait_for_each_other(database: Database) -> None:
    patient = replace(database, lock_wait_seconds=20)

    def add() -> None:
        for _ in range(10):
            with patient.writing() as con:
                con.execute("UPDATE counter SET value = value + 1")

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(database) == 30


def test_two_processes_lose_no_update(database: Database) -> None:
    both = [start(COUNT, database) for _ in range(2)]
    for process in both:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert count(database) == 30


@pytest.mark.parametrize(("script", "kept"), [(KILLED_BEFORE_COMMIT, 0), (KILLED_AFTER_COMMIT, 3)])
def test_a_kill_leaves_all_of_a_transaction_or_none(database: Database, script: str, kept: int) -> None:
    for _ in range(3):
        with start(script, database) as process:
            assert process.wait(20) == -signal.SIGKILL
    assert count(database) == kept
    with database.writing() as con:
        con.execute("UPDATE counter SET value = 7")
    assert count(database) == 7


def test_a_block_that_raises_writes_nothing(database: Database) -> None:
    def interrupted() -> None:
        with database.writing() as con:
            con.execute("UPDATE counter SET value = 5")
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert count(database) == 0


def test_a_reader_cannot_write(database: Database) -> None:
    with database.reading() as con, pytest.raises(duckdb.Error, match="read-only"):
        con.execute("UPDATE counter SET value = 5")


def test_extensions_are_never_fetched(database: Database) -> None:
    with database.reading() as con:
        query = "SELECT name, value FROM duckdb_settings() WHERE name LIKE 'auto%known_extensions'"
        assert dict(con.execute(query).fetchall()) == {
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }


@pytest.mark.parametrize("how", ["reading", "writing"])
def test_no_database_is_said_and_none_is_made(tmp_path: Path, how: str) -> None:
    database = Database(tmp_path / "bonsai.duckdb", 1, "100MB", 1)
    with pytest.raises(HomeError, match="bonsai init"), getattr(database, how)():
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    database = Database(tmp_path / "bonsai.duckdb", 1, "100MB", 1)
    database.path.write_bytes(b"not a database " * 1000)
    with pytest.raises(IntegrityError, match="cannot be opened") as caught, database.reading():
        pass
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_named_and_no_backup_is_asked_for(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torn = replace(database, path=tmp_path / "torn.duckdb")
    torn.path.write_bytes(b"no database")
    for expected in (IntegrityError, NoRoom):
        with pytest.raises(expected), torn.writing():
            pass
        monkeypatch.setattr("storage.connect.MIN_FREE_BYTES", 1 << 60)

    def torn_off() -> None:
        with database.writing() as con:
            con.execute("UPDATE counter SET value = 5")
            con.execute("SELECT nothing_like_that")

    with pytest.raises(NoRoom, match="is full"):
        torn_off()
    assert count(database) == 0


def test_a_backup_is_the_whole_database_and_never_overwrites(database: Database, tmp_path: Path, at: datetime) -> None:
    with database.writing() as con:
        con.execute("UPDATE counter SET value = 9")
        settings_table.put(con, "night's hour", 3, at)
    target = tmp_path / "it's a backup.duckdb"
    database.backup(target)
    copy = replace(database, path=target)
    assert count(copy) == 9
    with copy.reading() as con:
        assert settings_table.get(con, "night's hour") == 3
    with pytest.raises(HomeError, match="never overwrites"):
        database.backup(target)
    with database.writing() as con:
        con.execute("UPDATE counter SET value = 10")
    assert (count(copy), count(database)) == (9, 10)
