"""Transactions as short as others need."""

from __future__ import annotations

import threading

import pytest

from storage.home import Home
from storage.scale.pacing import (
    CONTENDED_SECONDS,
    CONTENTION_MEMORY_SECONDS,
    FIRST_ROWS,
    MAX_ROWS,
    MIN_ROWS,
    Pace,
    write_in_batches,
)


def test_who_is_alone_takes_more_and_more() -> None:
    pace = Pace()
    for _ in range(10):
        pace.adapt(pace.rows, 0.01, contended=False, now=100.0)
    assert pace.rows == MAX_ROWS


def test_a_slow_transaction_makes_the_next_one_smaller() -> None:
    pace = Pace(rows=4_000)
    pace.adapt(4_000, 2.0, contended=False, now=100.0)
    assert pace.rows == 1_000


def test_who_keeps_somebody_waiting_is_short_for_some_time() -> None:
    pace = Pace(rows=1_000)
    pace.adapt(1_000, 5 * CONTENDED_SECONDS, contended=True, now=100.0)
    assert pace.rows == 200
    pace.adapt(200, CONTENDED_SECONDS, contended=False, now=100.0 + CONTENTION_MEMORY_SECONDS / 2)
    assert pace.rows == 200
    pace.adapt(200, CONTENDED_SECONDS, contended=False, now=100.0 + CONTENTION_MEMORY_SECONDS)
    assert pace.rows == 400


def test_a_short_rest_says_nothing_and_the_slowest_still_goes_on() -> None:
    pace = Pace()
    pace.adapt(3, 0.001, contended=False, now=100.0)
    assert pace.rows == FIRST_ROWS
    pace.adapt(FIRST_ROWS, 60.0, contended=True, now=100.0)
    assert pace.rows == MIN_ROWS


def test_everything_is_put_once_and_in_order(home: Home) -> None:
    seen = write_in_batches(home.database, list(range(25)), Pace(rows=10), lambda _, piece: list(piece))
    assert [one for piece in seen for one in piece] == list(range(25))
    assert len(seen) == 2  # ten, then, as it was quick, the rest


def test_a_reader_that_waits_is_noticed(home: Home) -> None:
    pace = Pace(rows=1)
    readers: list[threading.Thread] = []

    def read() -> None:
        with home.database.reading():
            pass

    def put(*_: object) -> None:
        readers.append(threading.Thread(target=read))
        readers[-1].start()
        while not home.database.has_waiters():
            pass

    write_in_batches(home.database, ["one"], pace, put)
    for reader in readers:
        reader.join()
    assert pace.contended_until > 0


def test_what_was_committed_before_an_error_stays(home: Home) -> None:
    def put(con, piece) -> None:
        if piece == [2]:
            raise ValueError("no twos")
        con.execute("INSERT INTO settings VALUES (?, '1', TIMESTAMP '2026-11-21')", [str(piece[0])])

    with pytest.raises(ValueError, match="no twos"):
        write_in_batches(home.database, [1, 2], Pace(rows=1), put)
    with home.database.reading() as con:
        assert con.execute("SELECT name FROM settings WHERE name IN ('1', '2')").fetchall() == [("1",)]
