"""Long reads and long writes in short batches, so that nobody waits for a whole import or export.

    write_in_batches(database, rows, Pace(), lambda con, batch: insert(con, batch))
    for stored in read_in_batches(database, records_table.eligible): ...

The size of a write batch follows from how long the last one held the lock. A part of that time is fixed, so the target
is half a second while nobody waits, and a tenth of that once somebody has waited.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from storage.connect import Connection, Database
from storage.sql import values

IDLE_SECONDS, CONTENDED_SECONDS = 0.5, 0.05
"How long a transaction may hold the lock."
PAUSE_SECONDS = 0.1
"Pause after a transaction that somebody waited for: what a page reads next does not wait again."
CONTENTION_MEMORY_SECONDS = 30.0
"How long after a wait further waiters are expected."
FIRST_ROWS, MIN_ROWS, MAX_ROWS = 50, 10, 10_000
MAX_GROWTH = 2.0
"Largest ratio of a batch to the one before."
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True)
class Pace:
    """The size of the next write batch; one object for each import."""

    rows: int = FIRST_ROWS
    contended_until: float = 0.0
    "Monotonic clock."

    def adapt(self, rows: int, seconds: float, contended: bool, now: float) -> None:
        """Adapt to a transaction of `rows` rows that held the lock for `seconds`."""
        if contended:
            self.contended_until = now + CONTENTION_MEMORY_SECONDS
        allowed = CONTENDED_SECONDS if now < self.contended_until else IDLE_SECONDS
        factor = min(allowed / max(seconds, 1e-6), MAX_GROWTH)
        if factor < 1 or rows >= self.rows:  # a short last batch says nothing about the possible size
            self.rows = round(min(max(factor * rows, MIN_ROWS), MAX_ROWS))


def write_in_batches(
    database: Database, items: Sequence[Item], pace: Pace, put: Callable[[Connection, Sequence[Item]], Result]
) -> list[Result]:
    """Call `put` with one batch of items at a time, each in its own transaction; the results in order.

    Raises what `put` raises, after which the batches before stay committed, and LockTimeout.
    """
    start, results, contended = 0, [], False

    def check_waiters() -> None:
        nonlocal contended
        contended = database.has_waiters()

    while start < len(items):
        batch = items[start : start + pace.rows]
        with database.writing(last=check_waiters) as con:
            began = time.monotonic()
            results.append(put(con, batch))
        now = time.monotonic()
        pace.adapt(len(batch), now - began, contended, now)
        start += len(batch)
        if contended and start < len(items):
            time.sleep(PAUSE_SECONDS)
    return results


BATCH_RECORDS = 2_000
"A tenth of a second, most of it to build Python objects."
Row = TypeVar("Row")


def read_in_batches(
    database: Database, read: Callable[[Connection, int, int], list[Row]], step: int = BATCH_RECORDS
) -> Iterator[Row]:
    """All rows of `read(con, first, last)` over the sequence numbers, in order of arrival. Raises LockTimeout.

    Between batches the database is free. Each batch sees the rows as they are then; later arrivals are not seen.
    """
    database = database.kept()
    with database.reading() as con:
        newest = int(values(con, "SELECT coalesce(max(sequence), -1) FROM records")[0])
    for first in range(0, newest + 1, step):
        with database.reading() as con:
            found = read(con, first, min(first + step - 1, newest))
        yield from found
