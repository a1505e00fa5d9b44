"""How many records, subjects and rejects there are of each kind: counters in tables, so that no page counts rows.

    with counting(con, RECORDS, ids): ...       # around every statement that changes these records
    count_new(con, RECORDS, "batch")            # the rows of `batch` are put in

Who writes keeps them, in the same transaction; `wrong` tells which are not right, `recount` makes them so.
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
"A tag that Bonsai gave itself and that a person had better look at."
RECORDS, REJECTS = "records", "rejects"


@dataclass(frozen=True, slots=True)
class Counter:
    """One table of counters."""

    table: str
    of: str
    "Table whose rows it counts."
    by: str
    "What it counts by; its own columns but `number`."
    which: str = "true"
    "Rows that it counts."


COUNTERS = (
    Counter("record_counts", RECORDS, f"status, reason_key, language, category, ({UNCERTAIN}) AS uncertain"),
    Counter("subject_counts", RECORDS, "subject", "subject <> '' AND status <> 'forgotten' AND replaced_by = ''"),
    Counter("reject_counts", REJECTS, "state"),
)


@dataclass(frozen=True, slots=True)
class RecordCounts:
    """Records that somebody should look at."""

    held_back: int
    contradictions: int
    "Of those held back."
    suspects: int
    uncertain: int
    "Active, with a tag that Bonsai gave itself and is not sure of."


def count_new(con: Connection, of: str, source: str) -> None:
    """Count the rows of `source`, which are put into the table `of` and have its columns."""
    for counter in COUNTERS:
        if counter.of == of:
            _add(con, counter, source, 1, {})


@contextmanager
def counting(con: Connection, of: str, ids: Iterable[str]) -> Iterator[None]:
    """Whatever happens within the block to the rows of these ids is counted, in the caller's transaction."""
    chosen = rows_of(of, ids)
    source, given = f"{of} WHERE {chosen.sql}", chosen.values
    counters = [counter for counter in COUNTERS if counter.of == of]
    for counter in counters:
        _add(con, counter, source, -1, given)
    yield
    for counter in counters:
        _add(con, counter, source, 1, given)


def record_counts(con: Connection) -> RecordCounts:
    """What waits for a person."""
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
    """How many active records there are of each language and category."""
    query = """
        SELECT language, category, sum(number)::BIGINT FROM record_counts WHERE status = 'active'
        GROUP BY ALL HAVING sum(number) > 0
    """
    return {(str(row[0]), str(row[1])): int(row[2]) for row in con.execute(query).fetchall()}


def by_status(con: Connection) -> dict[str, int]:
    """How many records there are of each status."""
    query = "SELECT status, sum(number)::BIGINT FROM record_counts GROUP BY ALL HAVING sum(number) > 0 ORDER BY ALL"
    return {str(row[0]): int(row[1]) for row in con.execute(query).fetchall()}


def subjects(con: Connection, limit: int) -> dict[str, int]:
    """Whom or what records are about, the most told of first."""
    query = "SELECT subject, number FROM subject_counts WHERE number > 0 ORDER BY number DESC, subject LIMIT ?"
    return {str(row[0]): int(row[1]) for row in con.execute(query, [limit]).fetchall()}


def rejects(con: Connection, state: str) -> int:
    """How many rejects are in a state."""
    return int(values(con, "SELECT coalesce(sum(number), 0)::BIGINT FROM reject_counts WHERE state = ?", [state])[0])


def wrong(con: Connection) -> tuple[str, ...]:
    """The tables of counters that do not say what there is; looks at every row."""
    return tuple(counter.table for counter in COUNTERS if _is_wrong(con, counter))


def _is_wrong(con: Connection, counter: Counter) -> bool:
    stored = f"SELECT * FROM {counter.table} WHERE number <> 0"
    query = f"SELECT count(*) FROM (({_truth(counter)} EXCEPT {stored}) UNION ALL ({stored} EXCEPT {_truth(counter)}))"
    return bool(values(con, query)[0])


def recount(con: Connection) -> tuple[str, ...]:
    """Count everything anew, in the caller's transaction; the tables that were wrong. Safe to repeat."""
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
