"""Search in the texts of a million records, the newest first, a slice of time at once.

    found = search(con, wanted, 50, seconds=0.08)
    found = search(con, wanted, 50, found.rest, seconds=0.08)       # goes on where that one ended

Only blocks of records that may hold the words are read (`storage.scale.text_index`). Who searches may close the
database between two slices, so that nobody who writes waits for a whole search.
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
from storage.tables.records_pages import at_places
from storage.tables.records_table import RecordFilter, conditions

GAP_BLOCKS = 4
"Between candidates that are read in one run all the same."
STEP_RUNS = 32
STEP_BLOCKS = 512
"Read by one query: 8,192 records take some 10 ms."
STEP_SPAN = 8_192
"Blocks from the first to the last of one query, about a row group of DuckDB's: it looks at the others' bounds alone."


@dataclass(frozen=True, slots=True)
class Found:
    """Some records that were looked for."""

    records: tuple[StoredRecord, ...]
    "The newest first."
    rest: str
    "Id of the last record that was looked at; empty when there is none beyond it."


def search(con: Connection, wanted: RecordFilter, limit: int, before: str = "", *, seconds: float) -> Found:
    """The newest `limit` records with the text, or those found in about this time; for more pass `rest` as `before`."""
    until = time.monotonic() + seconds
    places = values(con, "SELECT sequence FROM records WHERE id = ?", [before]) if before else [None]
    if not places:  # beyond an id that nobody has lies nothing
        return Found((), "")
    [below] = places
    blocks = text_index.candidates(con, wanted.text)
    if below is not None:
        blocks = [block for block in blocks if block * BLOCK < below]
    found: list[int] = []
    for step in steps(text_index.runs(blocks, STEP_BLOCKS, GAP_BLOCKS)):
        found += _within(con, wanted, limit - len(found), step, below)
        if len(found) == limit:
            whole = _whole(con, found)
            return Found(whole, whole[-1].record.id)
        if time.monotonic() > until and step[-1][0] != blocks[-1]:
            return Found(_whole(con, found), _first_from(con, step[-1][0] * BLOCK))
    return Found(_whole(con, found), "")


Run = tuple[int, int]


def steps(runs: Iterable[Run]) -> Iterator[list[Run]]:
    """Runs that are read together, the newest first."""
    step, size = list[Run](), 0
    for low, high in runs:
        size += high - low + 1
        if step and (len(step) == STEP_RUNS or size > STEP_BLOCKS or step[0][1] - low > STEP_SPAN):
            yield step
            step, size = [], high - low + 1
        step.append((low, high))
    if step:
        yield step


def _within(con: Connection, wanted: RecordFilter, limit: int, runs: list[Run], below: int | None) -> list[int]:
    """Places; whole rows would cost three times as much where nothing is found."""
    where, parameters = conditions(wanted)
    spans = " OR ".join(f"sequence BETWEEN {low * BLOCK} AND {(high + 1) * BLOCK - 1}" for low, high in runs)
    last = (runs[0][1] + 1) * BLOCK - 1
    bounds = {"first": runs[-1][0] * BLOCK, "last": last if below is None else min(last, below - 1)}
    query = f"""
        SELECT sequence FROM records
        WHERE sequence BETWEEN $first AND $last AND ({spans}) AND {" AND ".join(where)}
        ORDER BY sequence DESC LIMIT {int(limit)}
    """
    return [int(one) for one in values(con, query, {**parameters, **bounds})]


def _whole(con: Connection, places: list[int]) -> tuple[StoredRecord, ...]:
    return tuple(at_places(con, places).values())


def _first_from(con: Connection, sequence: int) -> str:
    """The first record from this place on."""
    return str(values(con, "SELECT id FROM records WHERE sequence >= ? ORDER BY sequence LIMIT 1", [sequence])[0])
