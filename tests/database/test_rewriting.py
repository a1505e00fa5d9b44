"""A rewrite of the whole database keeps writers out, and nobody else."""

from __future__ import annotations

import threading
from datetime import datetime

import duckdb
import pytest

from bonsai.errors import LockTimeout
from bonsai.system.locks import file_lock
from storage.connect import Database
from storage.home import Home
from storage.tables import records_table


def numbers(database: Database) -> int:
    with database.reading() as con:
        return int(con.execute("SELECT count(*) FROM numbers").fetchall()[0][0])


@pytest.mark.parametrize("kept", [False, True])
def test_pages_are_read_while_the_file_is_written_anew(home: Home, kept: bool) -> None:
    database = home.database.kept() if kept else home.database
    with database.writing() as con:
        con.execute("CREATE TABLE numbers AS SELECT range AS id, md5(range::VARCHAR) AS text FROM range(1_500_000)")
    rewriting = threading.Thread(target=database.rewrite)
    rewriting.start()
    read_meanwhile = 0
    while rewriting.is_alive():
        assert numbers(database) == 1_500_000
        read_meanwhile += rewriting.is_alive()
    rewriting.join()
    assert read_meanwhile >= 3
    assert numbers(database) == 1_500_000


def test_who_rewrites_keeps_writers_out_and_lets_readers_in(home: Home, at: datetime, make_record) -> None:
    database = Database(home.database.path, 0.2, "200MB", 1)
    with file_lock(database.writers_path, exclusive=True, wait_seconds=0):
        assert database.has_waiters() is False
        with database.reading() as con:
            assert records_table.newest_sequence(con) == -1
        with pytest.raises(LockTimeout), database.writing():
            pass
    records_table.insert_paced(database, [make_record()], "b", at)
    with database.reading() as con:
        assert records_table.newest_sequence(con) > 0


def test_a_rewritten_database_shows_nothing_that_was_deleted_and_goes_on_counting(home: Home) -> None:
    database = home.database

    def shows() -> bool:
        return b"a secret of the owner" in database.path.read_bytes()

    with database.writing() as con:
        con.execute("CREATE SEQUENCE numbers")
        con.execute("CREATE TABLE told (id BIGINT PRIMARY KEY DEFAULT nextval('numbers'), a VARCHAR)")
        con.execute("INSERT INTO told (a) VALUES ('a secret of the owner'), ('nothing')")
    with database.writing() as con:
        con.execute("UPDATE told SET a = '' WHERE id = 1")
    assert shows(), "DuckDB wipes freed pages by itself now: `rewrite` may go"
    database.rewrite()
    assert not shows()
    with database.writing() as con:
        con.execute("INSERT INTO told (a) VALUES ('more')")
        assert con.execute("SELECT id, a FROM told ORDER BY id").fetchall() == [(1, ""), (2, "nothing"), (3, "more")]
        with pytest.raises(duckdb.ConstraintException):
            con.execute("INSERT INTO told VALUES (3, 'again')")
    assert not [path for path in database.path.parent.iterdir() if path.name.endswith(".tmp")]
