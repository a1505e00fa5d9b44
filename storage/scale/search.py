"""Full-text search over a million records, newest first, in time slices.

    found = search(con, record_filter, 50, seconds=0.08)
    found = search(con, record_filter, 50, found.rest, seconds=0.08)       # resumes at the cursor

Reads only the blocks of records that may contain the words (`storage.scale.text_index`). The caller may close the
database between two slices, so that no writer waits for a whole search.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from storage.connect import Connection
from storage.scale import text_index
from storage.scale.text_index import BLOCK
from storage.sql import values
from storage.tables.record_rows import StoredRecord
from storage.tables.records_table import RecordFilter, by_sequence, filter_conditions

GAP_BLOCKS = 4
"Largest gap between candidate blocks that is read as one run."
STEP_RUNS = 32
STEP_BLOCKS = 512
"Limits of one query: 8,192 records take about 10 ms."
STEP_SPAN = 8_192
"Blocks between the first and the last of one query, about one DuckDB row group; the others are skipped by zone maps."


@dataclass(frozen=True, slots=True)
class Found:
    """One page of search results."""

    records: tuple[StoredRecord, ...]
    "Newest first."
    rest: str
    "Cursor: the id of the last record examined; empty at the end."


def search(con: Connection, record_filter: RecordFilter, limit: int, before: str = "", *, seconds: float) -> Found:
    """The newest `limit` matches, or those found within `seconds`; for more pass `rest` as `before`."""
    until = time.monotonic() + seconds
    places = values(con, "SELECT sequence FROM records WHERE id = ?", [before]) if before else [None]
    if not places:  # an unknown cursor has nothing after it
        return Found((), "")
    [below] = places
    blocks = text_index.candidates(con, record_filter.text)
    if below is not None:
        blocks = [block for block in blocks if block * BLOCK < below]
    found: list[int] = []
    for step in steps(text_index.runs(blocks, STEP_BLOCKS, GAP_BLOCKS)):
        found += _matching_sequences(con, record_filter, limit - len(found), step, below)
        if len(found) == limit:
            whole = _fetch(con, found)
            return Found(whole, whole[-1].record.id)
        if time.monotonic() > until and step[-1][0] != blocks[-1]:
            return Found(_fetch(con, found), _first_id_from(con, step[-1][0] * BLOCK))
    return Found(_fetch(con, found), "")


Run = tuple[int, int]


def steps(runs: Iterable[Run]) -> Iterator[list[Run]]:
    """Group runs into queries, newest first."""
    step, size = list[Run](), 0
    for low, high in runs:
        size += high - low + 1
        if step and (len(step) == STEP_RUNS or size > STEP_BLOCKS or step[0][1] - low > STEP_SPAN):
            yield step
            step, size = [], high - low + 1
        step.append((low, high))
    if step:
        yield step


def _matching_sequences(
    con: Connection, record_filter: RecordFilter, limit: int, runs: list[Run], below: int | None
) -> list[int]:
    """Sequence numbers only: whole rows would cost three times as much where nothing matches."""
    where, parameters = filter_conditions(record_filter)
    spans = " OR ".join(f"sequence BETWEEN {low * BLOCK} AND {(high + 1) * BLOCK - 1}" for low, high in runs)
    last = (runs[0][1] + 1) * BLOCK - 1
    bounds = {"first": runs[-1][0] * BLOCK, "last": last if below is None else min(last, below - 1)}
    query = f"""
        SELECT sequence FROM records
        WHERE sequence BETWEEN $first AND $last AND ({spans}) AND {" AND ".join(where)}
        ORDER BY sequence DESC LIMIT {int(limit)}
    """
    return [int(one) for one in values(con, query, {**parameters, **bounds})]


def _fetch(con: Connection, places: list[int]) -> tuple[StoredRecord, ...]:
    return tuple(by_sequence(con, places).values())


def _first_id_from(con: Connection, sequence: int) -> str:
    """Id of the first record from this sequence number on."""
    return str(values(con, "SELECT id FROM records WHERE sequence >= ? ORDER BY sequence LIMIT 1", [sequence])[0])
