"""Materialised counts of records, subjects and rejects, so that no page counts rows.

    with counting(con, RECORDS, ids): ...       # around every statement that changes these records
    count_new(con, RECORDS, "batch")            # before or after the rows of `batch` are inserted

Writers maintain them in the same transaction. `wrong` lists those that have drifted, `recount` rebuilds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from storage.connect import Connection
from storage.sql import rows, rows_of, values

UNCERTAIN = """
    status = 'active' AND replaced_by = '' AND (
        category = 'uncategorised' AND category_source IN ('rule', 'learned')
        OR language_confidence < 0.6 AND language_source IN ('rule', 'learned')
    )
"""
"An automatic tag of low confidence that a person should check."
RECORDS, REJECTS = "records", "rejects"


@dataclass(frozen=True, slots=True)
class Counter:
    """One table of counts."""

    table: str
    of: str
    "The counted table."
    by: str
    "Group-by columns: all of its own but `number`."
    which: str = "true"
    "Condition on the counted rows."


COUNTERS = (
    Counter("record_counts", RECORDS, f"status, reason_key, language, category, ({UNCERTAIN}) AS uncertain"),
    Counter("subject_counts", RECORDS, "subject", "subject <> '' AND status <> 'forgotten' AND replaced_by = ''"),
    Counter("reject_counts", REJECTS, "state"),
)


@dataclass(frozen=True, slots=True)
class RecordCounts:
    """Numbers of records that wait for a person."""

    held_back: int
    contradictions: int
    "Of those held back."
    suspects: int
    uncertain: int
    "Active, with an automatic tag of low confidence."


def count_new(con: Connection, of: str, source: str) -> None:
    """Count the rows of `source`, which are inserted into the table `of` and have its columns."""
    for counter in COUNTERS:
        if counter.of == of:
            _add(con, counter, source, 1, {})


@contextmanager
def counting(con: Connection, of: str, ids: Iterable[str]) -> Iterator[None]:
    """Count what the block changes in the rows of these ids, in the caller's transaction."""
    chosen = rows_of(of, ids)
    source, given = f"{of} WHERE {chosen.sql}", chosen.values
    counters = [counter for counter in COUNTERS if counter.of == of]
    for counter in counters:
        _add(con, counter, source, -1, given)
    yield
    for counter in counters:
        _add(con, counter, source, 1, given)


def record_counts(con: Connection) -> RecordCounts:
    """Numbers of records that wait for a person."""
    query = """
        SELECT
            coalesce(sum(number) FILTER (status = 'held_back'), 0)::BIGINT AS held_back,
            coalesce(sum(number) FILTER (
                status = 'held_back' AND reason_key = 'duplicates.contradiction'
            ), 0)::BIGINT AS contradictions,
            coalesce(sum(number) FILTER (status = 'suspect'), 0)::BIGINT AS suspects,
            coalesce(sum(number) FILTER (uncertain), 0)::BIGINT AS uncertain
        FROM record_counts
    """
    return RecordCounts(**rows(con, query)[0])


def coverage(con: Connection) -> dict[tuple[str, str], int]:
    """Active records by language and category."""
    query = """
        SELECT language, category, sum(number)::BIGINT FROM record_counts WHERE status = 'active'
        GROUP BY ALL HAVING sum(number) > 0
    """
    return {(str(row[0]), str(row[1])): int(row[2]) for row in con.execute(query).fetchall()}


def by_status(con: Connection) -> dict[str, int]:
    """Records by status."""
    query = "SELECT status, sum(number)::BIGINT FROM record_counts GROUP BY ALL HAVING sum(number) > 0 ORDER BY ALL"
    return {str(row[0]): int(row[1]) for row in con.execute(query).fetchall()}


def subjects(con: Connection, limit: int) -> dict[str, int]:
    """The subjects with the most records."""
    query = "SELECT subject, number FROM subject_counts WHERE number > 0 ORDER BY number DESC, subject LIMIT ?"
    return {str(row[0]): int(row[1]) for row in con.execute(query, [limit]).fetchall()}


def rejects(con: Connection, state: str) -> int:
    """Rejects in a state."""
    return int(values(con, "SELECT coalesce(sum(number), 0)::BIGINT FROM reject_counts WHERE state = ?", [state])[0])


def wrong(con: Connection) -> tuple[str, ...]:
    """The tables whose counts are wrong; reads every row."""
    return tuple(counter.table for counter in COUNTERS if _is_wrong(con, counter))


def _is_wrong(con: Connection, counter: Counter) -> bool:
    stored = f"SELECT * FROM {counter.table} WHERE number <> 0"
    query = f"SELECT count(*) FROM (({_truth(counter)} EXCEPT {stored}) UNION ALL ({stored} EXCEPT {_truth(counter)}))"
    return bool(values(con, query)[0])


def recount(con: Connection) -> tuple[str, ...]:
    """Rebuild all counts in the caller's transaction; returns the tables that were wrong. Safe to repeat."""
    found = wrong(con)
    for counter in COUNTERS:
        con.execute(f"UPDATE {counter.table} SET number = 0")
        _add(con, counter, counter.of, 1, {})
    return found


def _truth(counter: Counter) -> str:
    return f"SELECT {counter.by}, count(*) AS number FROM {counter.of} WHERE {counter.which} GROUP BY ALL"


def _add(con: Connection, counter: Counter, source: str, sign: int, given: dict[str, object]) -> None:
    con.execute(
        f"""
        INSERT INTO {counter.table} SELECT {counter.by}, {sign} * count(*) FROM (FROM {source}) WHERE {counter.which}
        GROUP BY ALL ON CONFLICT DO UPDATE SET number = number + excluded.number
        """,
        given,
    )
