"""From a file to stored records: read -> parse -> tag -> compare -> store, in bounded chunks.

Every chunk is stored in transactions of its own, and content ids make a repetition change nothing, so an import that
was killed is simply started again.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Literal

from bonsai import duplicates, tags
from bonsai.benchmark import pools, questions
from bonsai.duplicates import Finding, Index, Known, LeakFinding, LeakGuard
from bonsai.files import sha256_file
from bonsai.pipeline.parts import Bonsai
from bonsai.pipeline.records.learned_tagger import category_tagger
from bonsai.pipeline.records.pairs import confirm_corrections
from bonsai.pipeline.verdicts.owners_suite import written_questions
from bonsai.progress import Progress, Report, silent
from bonsai.readers import read, recognise
from bonsai.readers.bilingual import merge
from bonsai.records import Defaults, Language, Limits, Record, Reject, Source, Status, Tags
from bonsai.tags import CategoryTagger
from storage import imports_table, records_table, rejects_table
from storage.imports_table import Import
from storage.record_rows import NewRecord, Reason
from storage.records_table import RecordFilter

CHUNK = 4_000
"Records that are judged together: enough for the vectorised stages, little memory."
COLLECT_AFTER = 200_000
"New objects until the garbage collector looks at them; Python's own default is 700."


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of what was read: `read` = `new` + `duplicate` + `held_back` + `rejected`."""

    read: int = 0
    new: int = 0
    duplicate: int = 0
    "Told before word for word, or forgotten for good."
    held_back: int = 0
    rejected: int = 0
    near: int = 0
    "Of the new ones: those that nearly repeat another; they train."
    first_reject: Reject | None = None
    "What is wrong with the first element that became no record."

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.read + other.read,
            self.new + other.new,
            self.duplicate + other.duplicate,
            self.held_back + other.held_back,
            self.rejected + other.rejected,
            self.near + other.near,
            self.first_reject or other.first_reject,
        )


@dataclass(slots=True)
class Judge:
    """Tags and compares records in the order in which they come; knows everything told before."""

    index: Index
    guard: LeakGuard
    tagger: CategoryTagger
    threshold: float

    def judge(self, records: list[Record], given_by: Literal["import", "person"]) -> tuple[list[NewRecord], int]:
        """The records that are not exact duplicates, and how many were."""
        new: dict[str, Record] = {}
        for record in records:
            if record.id not in self.index:
                new.setdefault(record.id, record)
        fresh = list(new.values())
        asked = [tags.guess_question(record.instruction, record.input) for record in fresh]
        found = tags.tag_batch(fresh, self.tagger, threshold=self.threshold, given_by=given_by, asked=asked)
        leaks = [self.guard.judge(record) for record in fresh]
        known = [
            duplicates.known(record, tagged, active=not leak.leaks)
            for record, tagged, leak in zip(fresh, found, leaks, strict=True)
        ]
        findings = self.index.judge_batch(known, add=True)
        languages = [one.language for one in asked]
        made = list(map(_new_record, fresh, found, languages, known, findings, leaks))
        return made, len(records) - len(made)


def _new_record(
    record: Record, tagged: Tags, asked_in: Language, known: Known, finding: Finding, leak: LeakFinding
) -> NewRecord:
    overrules = finding.contradicts if record.source == "feedback" else ()
    held = duplicates.held_back_reason(replace(finding, contradicts=()) if overrules else finding, leak)
    return NewRecord(
        record,
        tagged,
        question_language=asked_in,
        question_key=known.question_key,
        status=Status.HELD_BACK if held else Status.ACTIVE,
        reason=Reason(held[0], tuple(held[1].items())) if held else None,
        near_of=finding.near[0] if finding.near else "",
        retires_item=leak.retires[0] if leak.retires else "",
        overrules=overrules,
    )


Between = Callable[[Judge], object]
"Called after each chunk of an import, with the judge that knows all stored records: what may not wait for its end."


def nothing(judge: Judge) -> None:
    """Nothing is in a hurry."""


def open_judge(b: Bonsai) -> Judge:
    """A judge that knows every stored record."""
    index = Index(duplicates.NearSettings(**b.config.duplicates.model_dump()))
    with b.database.reading() as con:
        rows, written = records_table.index_rows(con), written_questions(con)
        index.add_ids(records_table.ids_without_texts(con))
    index.add_batch([_known(row) for row in rows])
    return Judge(index, leak_guard(written), category_tagger(b), b.config.tags.category_threshold)


def leak_guard(written: Sequence[tuple[str, str, str]]) -> LeakGuard:
    """The benchmark's questions and those that the owner wrote: (id, instruction, input)."""
    items = [(i.id, i.instruction, i.input) for pool in questions.pools() for i in pools.asked(pool)]
    return LeakGuard([*items, *written], kept=frozenset(item for item, _, _ in written))


def _known(row: records_table.IndexRow) -> Known:
    return Known(
        id=row.id,
        instruction=row.instruction,
        input=row.input,
        output=row.output,
        language=row.language,
        category=row.category,
        fact=row.fact,
        active=row.status is Status.ACTIVE,
        question_key=row.question_key,
    )


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
    between: Between = nothing,
) -> Counts:
    """All records of a file; importing it again adds nothing.

    Time and content name the import. `goes_on`: one of the same name may have been killed, and the counts are those of
    the whole file.

    `pair_with` is the Japanese half of an English Alpaca file: the two are merged row by row. `name` is what its owner
    calls the file, where that is not its present name. Raises InputError for a file that cannot be read as records.
    """
    defaults = Defaults(source=source, source_name=source_name, author=author)
    limits = Limits(**b.config.records.model_dump())
    name = name or path.name
    if pair_with is None:
        made = read(path, defaults=defaults, limits=limits, recognised=recognise(path), name=name)
    else:
        made = (row.made for row in merge(path, pair_with, defaults=defaults, limits=limits))
    digest = sha256_file(path)
    batch = f"{now:%Y%m%dT%H%M%S}-{digest[:8]}"
    begun = goes_on and _stored(b, batch)[0] > 0
    counts = store_all(b, made, batch, now, "import", report, defaults, between=between)
    if begun:
        stored, active = _stored(b, batch)
        told_before = counts.read - stored - counts.rejected
        counts = replace(counts, new=active, held_back=stored - active, duplicate=told_before)
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
    """How many records an import has stored so far, and how many of them are active."""
    with b.database.reading() as con:
        every = records_table.count(con, RecordFilter(batch=batch))
        return every, records_table.count(con, RecordFilter(batch=batch, status=Status.ACTIVE)) if every else 0


def store_all(
    b: Bonsai,
    made: Iterable[Record | Reject],
    batch: str,
    now: datetime,
    given_by: Literal["import", "person"],
    report: Report,
    defaults: Defaults,
    judge: Judge | None = None,
    between: Between = nothing,
) -> Counts:
    """Judge and store chunk by chunk. `defaults`: what the source said of all of it; kept with the rejects."""
    counts = Counts()
    with _rare_collections():
        for chunk in _chunks(made):
            judge = judge or open_judge(b)
            counts += _store(b, judge, chunk, batch, now, given_by, defaults)
            report(Progress("ingest", counts.read, 0))
            between(judge)
    report(Progress("ingest", counts.read, counts.read))
    return counts


@contextmanager
def _rare_collections() -> Iterator[None]:
    """An import makes millions of objects that stay, in the index, and no cycles: to look at all of them again and
    again took the garbage collector an eighth of the time."""
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
    judge: Judge,
    chunk: list[Record | Reject],
    batch: str,
    now: datetime,
    given_by: Literal["import", "person"],
    defaults: Defaults,
) -> Counts:
    """One chunk: rejects and records in one transaction."""
    records = [one for one in chunk if isinstance(one, Record)]
    rejects = [one for one in chunk if isinstance(one, Reject)]
    new, exact = judge.judge(records, given_by)
    with b.database.writing() as con:
        rejects_table.insert_rejects(con, rejects, batch, now, defaults)
        stored = records_table.insert_records(con, new, batch, now)
        confirm_corrections(con, [one.id for one in records if one.source == "feedback"], now)
    told_before = exact + stored.duplicate + stored.forgotten
    near = sum(bool(one.near_of) for one in new)
    first = rejects[0] if rejects else None
    return Counts(len(chunk), stored.new, told_before, stored.held_back, len(rejects), near, first)
