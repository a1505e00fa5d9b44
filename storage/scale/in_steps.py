"""All records, some at a time: who wants to write gets a turn in between, and behind a writer everybody else.

    for stored in in_steps(database, records_table.eligible): ...

What changes meanwhile is seen as it is when its turn comes; a record that is told meanwhile is not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from storage.connect import Connection, Database
from storage.tables.records_table import newest_sequence

STEP = 2_000
"Records: a tenth of a second, most of it to make Python objects of them."
Row = TypeVar("Row")


def in_steps(database: Database, read: Callable[[Connection, int, int], list[Row]], step: int = STEP) -> Iterator[Row]:
    """Everything that `read` gives from one sequence number to another, in order of arrival. Raises LockTimeout."""
    database = database.kept()
    with database.reading() as con:
        newest = newest_sequence(con)
    for first in range(0, newest + 1, step):
        with database.reading() as con:
            found = read(con, first, min(first + step - 1, newest))
        yield from found
