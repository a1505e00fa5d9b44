"""Readers of one process share a DuckDB that stays started, and leave the file to whoever wants to write."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from bonsai.errors import HomeError, IntegrityError, LockTimeout
from storage.connect import Database
from storage.home import Home
from storage.scale.shared_engine import JOIN_SECONDS
from storage.tables import records_table
from storage.tables.record_rows import NewRecord
from storage.tables.records_table import RecordFilter


def count(database: Database) -> int:
    with database.reading() as con:
        return records_table.count(con, RecordFilter())


def test_what_was_written_in_between_is_read(home: Home, make_record: Callable[..., NewRecord], at: datetime) -> None:
    kept = home.database.kept()
    assert count(kept) == 0
    with kept.writing() as con:
        records_table.insert_records(con, [make_record()], "batch", at)
    assert count(kept) == 1
    kept.rewrite()  # another file under the same name
    assert count(kept) == 1


def test_nobody_writes_through_a_reader(home: Home) -> None:
    with home.database.kept().reading() as con, pytest.raises(Exception, match="read-only"):
        con.execute("DELETE FROM records")


def test_a_reader_may_read_more_while_a_writer_waits(home: Home) -> None:
    kept, wrote = home.database.kept(), threading.Event()

    def write() -> None:
        with home.database.writing():
            wrote.set()

    with kept.reading():
        writer = threading.Thread(target=write)
        writer.start()
        time.sleep(2 * JOIN_SECONDS)
        assert count(kept) == 0
        assert not wrote.is_set()
    writer.join(5)
    assert wrote.is_set()


def test_readers_in_a_row_keep_no_writer_out(home: Home) -> None:
    kept, ended = home.database.kept(), threading.Event()

    def read() -> None:
        while not ended.is_set():
            with kept.reading() as con:
                con.execute("SELECT 1").fetchall()
                time.sleep(JOIN_SECONDS / 2)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for one in readers:
        one.start()
    try:
        for _ in range(3):
            with replace(home.database, lock_wait_seconds=10).writing() as con:
                con.execute("SELECT 1").fetchall()
    finally:
        ended.set()
        for one in readers:
            one.join()


def test_after_an_error_the_next_read_works(home: Home) -> None:
    kept = replace(home.database, lock_wait_seconds=0.1).kept()
    with home.database.writing(), pytest.raises(LockTimeout):
        count(kept)
    assert count(kept) == 0
    with pytest.raises(ZeroDivisionError), kept.reading():
        raise ZeroDivisionError
    assert count(kept) == 0


def test_what_is_no_database_is_said(home: Home) -> None:
    kept = home.database.kept()
    home.database.path.write_bytes(b"not a database" * 1_000)
    with pytest.raises(IntegrityError, match=r"bonsai\.duckdb"):
        count(kept)
    home.database.path.unlink()
    with pytest.raises(HomeError):
        count(kept)
