"""Import a file: read -> parse -> tag -> compare -> store, in bounded chunks.

Every chunk is stored in short transactions, and ids derive from content, so an import that was killed is simply run
again.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Literal

from bonsai.actions.resolve import confirm_corrections
from bonsai.actions.screening import Screener, screener_for
from bonsai.context import Bonsai
from bonsai.domain.records import Defaults, Record, Reject, Source, Status
from bonsai.ingest.readers import read
from bonsai.ingest.readers.bilingual import merge
from bonsai.ingest.readers.recognise import recognise
from bonsai.system.files import sha256_file
from bonsai.system.progress import Progress, Report, silent
from storage.scale.pacing import Pace, write_in_batches
from storage.tables import imports_table, records_table, rejects_table
from storage.tables.imports_table import Import
from storage.tables.records_table import RecordFilter

CHUNK = 4_000
"Records judged together: enough for the vectorised stages, little memory."
COLLECT_AFTER = 200_000
"New objects between two garbage collections; Python's default is 700."


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """Result of an import: `read` = `new` + `duplicate` + `held_back` + `rejected`."""

    read: int = 0
    new: int = 0
    duplicate: int = 0
    "Exact duplicates, of forgotten records too."
    held_back: int = 0
    rejected: int = 0
    near: int = 0
    "New records that nearly repeat another; they train."
    first_reject: Reject | None = None
    "First element that could not become a record."

    def __add__(self, other: ImportCounts) -> ImportCounts:
        return ImportCounts(
            self.read + other.read,
            self.new + other.new,
            self.duplicate + other.duplicate,
            self.held_back + other.held_back,
            self.rejected + other.rejected,
            self.near + other.near,
            self.first_reject or other.first_reject,
        )


BetweenChunks = Callable[[Screener], object]
"Called after each chunk with the screener that knows all stored records, for work that cannot wait for the end."


def no_work(judge: Screener) -> None:
    """Default callback: no work between chunks."""


def import_file(
    b: Bonsai,
    path: Path,
    *,
    now: datetime,
    pair_with: Path | None = None,
    source: Source = "import",
    source_name: str = "",
    author: str = "",
    name: str = "",
    goes_on: bool = False,
    report: Report = silent,
    between: BetweenChunks = no_work,
) -> ImportCounts:
    """Import all records of a file. Idempotent.

    Time and content name the import. `goes_on`: an import of that name may have been killed; the counts then cover the
    whole file. `pair_with` is the Japanese half of an English Alpaca file; the two are merged row by row. `name` is the
    file's name as its owner knows it. Raises InputError for a file that cannot be read as records.
    """
    defaults = Defaults(source=source, source_name=source_name, author=author)
    limits = b.config.records
    name = name or path.name
    if pair_with is None:
        made = read(path, defaults=defaults, limits=limits, recognised=recognise(path), name=name)
    else:
        made = (row.made for row in merge(path, pair_with, defaults=defaults, limits=limits))
    digest = sha256_file(path)
    batch = f"{now:%Y%m%dT%H%M%S}-{digest[:8]}"
    begun = goes_on and _stored(b, batch)[0] > 0
    counts = screen_and_store(b, made, batch, now, "import", report, defaults, between=between)
    if begun:
        stored, active = _stored(b, batch)
        duplicates = counts.read - stored - counts.rejected
        counts = replace(counts, new=active, held_back=stored - active, duplicate=duplicates)
    with b.database.writing() as con:
        imports_table.record_import(
            con,
            Import(
                batch,
                name,
                digest,
                counts.read,
                counts.new,
                counts.duplicate,
                counts.held_back,
                counts.rejected,
                now,
            ),
        )
    return counts


def _stored(b: Bonsai, batch: str) -> tuple[int, int]:
    """Stored records of an import, and how many of them are active."""
    with b.database.reading() as con:
        every = records_table.count(con, RecordFilter(batch=batch))
        return every, records_table.count(con, RecordFilter(batch=batch, status=Status.ACTIVE)) if every else 0


def screen_and_store(
    b: Bonsai,
    made: Iterable[Record | Reject],
    batch: str,
    now: datetime,
    given_by: Literal["import", "person"],
    report: Report,
    defaults: Defaults,
    judge: Screener | None = None,
    between: BetweenChunks = no_work,
) -> ImportCounts:
    """Screen and store chunk by chunk. `defaults` come from the source and are stored with the rejects."""
    counts, pace = ImportCounts(), Pace()
    with _rare_collections():
        for chunk in _chunks(made):
            if judge is None or not judge.knows_all:  # a screener for this chunk's neighbours is useless for the next
                judge = screener_for(b, [one for one in chunk if isinstance(one, Record)])
            counts += _store(b, judge, chunk, batch, now, given_by, defaults, pace)
            report(Progress("ingest", counts.read, 0))
            if judge.knows_all:
                between(judge)
    report(Progress("ingest", counts.read, counts.read))
    return counts


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Raise the garbage collector's threshold: an import keeps millions of objects and makes no cycles, and rescanning
    them took an eighth of the time.
    """
    thresholds = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def _chunks(made: Iterable[Record | Reject]) -> Iterator[list[Record | Reject]]:
    rest = iter(made)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _store(
    b: Bonsai,
    judge: Screener,
    chunk: list[Record | Reject],
    batch: str,
    now: datetime,
    given_by: Literal["import", "person"],
    defaults: Defaults,
    pace: Pace,
) -> ImportCounts:
    """Store one chunk. If killed in between, the stored part counts as duplicates next time."""
    records = [one for one in chunk if isinstance(one, Record)]
    rejects = [one for one in chunk if isinstance(one, Reject)]
    corrections = [one.id for one in records if one.source == "feedback"]
    new, exact = judge.judge(records, given_by)
    stored = records_table.insert_paced(b.database, new, batch, now, pace)
    write_in_batches(
        b.database, rejects, pace, lambda con, piece: rejects_table.insert_rejects(con, piece, batch, now, defaults)
    )
    if corrections:
        with b.database.writing() as con:
            confirm_corrections(con, corrections, now)
    duplicates = exact + stored.duplicate + stored.forgotten
    near = sum(bool(one.near_of) for one in new)
    first = rejects[0] if rejects else None
    return ImportCounts(len(chunk), stored.new, duplicates, stored.held_back, len(rejects), near, first)
