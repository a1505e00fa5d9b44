"""Much to write, in transactions as short as others need: nobody who looks at a page waits for an import.

    pace = Pace()
    paced(database, rows, pace, lambda con, piece: insert(con, piece))

How many rows a transaction takes follows from how long the last one kept the database. Some of that does not grow with
the rows, so it is half a second while nobody else wants it, and a tenth of that as soon as somebody waited.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from storage.connect import Connection, Database

ALONE_SECONDS, WATCHED_SECONDS = 0.5, 0.05
"How long a transaction may keep others out."
REST_SECONDS = 0.1
"After a transaction for which somebody waited: what a page reads next, and the page after it, shall not wait again."
WATCHED_FOR_SECONDS = 30.0
"So long after somebody waited the next ones are expected."
FIRST_ROWS, FEWEST_ROWS, MOST_ROWS = 50, 10, 10_000
GROWTH = 2.0
"At most so many times the rows of the transaction before."
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True)
class Pace:
    """How many rows the next transaction may take; one for each import."""

    rows: int = FIRST_ROWS
    watched_until: float = 0.0
    "By the monotonic clock."

    def took(self, rows: int, seconds: float, wanted: bool, now: float) -> None:
        """A transaction of so many rows kept the database so long; whether somebody waited for it."""
        if wanted:
            self.watched_until = now + WATCHED_FOR_SECONDS
        allowed = WATCHED_SECONDS if now < self.watched_until else ALONE_SECONDS
        factor = min(allowed / max(seconds, 1e-6), GROWTH)
        if factor < 1 or rows >= self.rows:  # a short rest says nothing of how many there could be
            self.rows = round(min(max(factor * rows, FEWEST_ROWS), MOST_ROWS))


def paced(
    database: Database, items: Sequence[Item], pace: Pace, put: Callable[[Connection, Sequence[Item]], Result]
) -> list[Result]:
    """Call `put` with some of the items at a time, each time in a transaction of its own, until all are in.

    What `put` gave, in order. Raises what it raises; what was committed before stays. Raises LockTimeout.
    """
    start, results, wanted = 0, [], False

    def look() -> None:
        nonlocal wanted
        wanted = database.is_wanted()

    while start < len(items):
        piece = items[start : start + pace.rows]
        with database.writing(last=look) as con:
            began = time.monotonic()
            results.append(put(con, piece))
        now = time.monotonic()
        pace.took(len(piece), now - began, wanted, now)
        start += len(piece)
        if wanted and start < len(items):
            time.sleep(REST_SECONDS)
    return results
