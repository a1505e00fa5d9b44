"""Screens records before they are stored: tags, duplicates, contradictions, contamination.

    screener = screener_for(b, records)     # knows the stored records that matter to these
    new, duplicates = screener.judge(records, "import")

An import's screener knows every stored record, which takes a second and 15 MB per ten thousand. A few records are only
compared with their neighbours: those with the same question, found by its key, and those with the question's rarest
words. Both know every id and score near duplicates alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Literal

from bonsai.actions.learned_tagger import category_tagger
from bonsai.actions.personal_set import written_questions
from bonsai.context import Bonsai
from bonsai.domain.reasons import Reason
from bonsai.domain.records import Language, Record, Status, Tags
from bonsai.evaluate import questions
from bonsai.ingest import dedup, tags
from bonsai.ingest.dedup.contamination import Contamination, ContaminationCheck
from bonsai.ingest.dedup.index import DuplicateFinding, DuplicateIndex, IndexedRecord, question_key
from bonsai.ingest.tags import language
from bonsai.ingest.tags.category import CategoryTagger
from bonsai.queries.similar import records_with_words, search_words
from storage.scale import counters, similar
from storage.scale.pacing import read_in_batches
from storage.tables import records_table, tombstones_table
from storage.tables.record_rows import NewRecord, StoredRecord

NEIGHBOURS = 200
"Records with the question's rarest words that it is compared with."
READ_AT_ONCE = 10_000
"Stored records read in one transaction and indexed at once."
STORED_A_RECORD = 15_000
"Loading this many stored records takes as long as finding the neighbours of one."


@dataclass(slots=True)
class Screener:
    """Tags and compares records in order of arrival."""

    index: DuplicateIndex
    guard: ContaminationCheck
    tagger: CategoryTagger
    threshold: float
    knows_all: bool
    "Knows every stored record and fits any other; else only the neighbours of those it was made for."

    def judge(self, records: list[Record], given_by: Literal["import", "person"]) -> tuple[list[NewRecord], int]:
        """The records that are not exact duplicates, and the number of those that are."""
        new: dict[str, Record] = {}
        for record in records:
            if record.id not in self.index:
                new.setdefault(record.id, record)
        fresh = list(new.values())
        asked = [language.guess_question(record.instruction, record.input) for record in fresh]
        found = tags.tag_batch(fresh, self.tagger, threshold=self.threshold, given_by=given_by, asked=asked)
        contaminations = [self.guard.judge(record) for record in fresh]
        known = [
            dedup.to_indexed(record, tagged, active=not contamination.contaminated)
            for record, tagged, contamination in zip(fresh, found, contaminations, strict=True)
        ]
        findings = self.index.judge_batch(known, add=True)
        languages = [one.language for one in asked]
        made = list(map(_new_record, fresh, found, languages, known, findings, contaminations))
        return made, len(records) - len(made)


def _new_record(
    record: Record,
    tagged: Tags,
    asked_in: Language,
    known: IndexedRecord,
    finding: DuplicateFinding,
    contamination: Contamination,
) -> NewRecord:
    overrules = finding.contradicts if record.source == "feedback" else ()
    held = dedup.held_back_reason(replace(finding, contradicts=()) if overrules else finding, contamination)
    return NewRecord(
        record,
        tagged,
        question_language=asked_in,
        question_key=known.question_key,
        status=Status.HELD_BACK if held else Status.ACTIVE,
        reason=Reason(held[0], tuple(held[1].items())) if held else None,
        near_of=finding.near[0] if finding.near else "",
        retires_item=contamination.retires[0] if contamination.retires else "",
        overrules=overrules,
    )


def screener_for(b: Bonsai, records: Sequence[Record]) -> Screener:
    """The cheaper of the two screeners for these records."""
    with b.database.reading() as con:
        stored = sum(counters.by_status(con).values())
    return screener_of_neighbours(b, records) if len(records) * STORED_A_RECORD < stored else screener_of_all(b)


def screener_of_all(b: Bonsai) -> Screener:
    """Knows every stored record. Reads in steps, so that others may write in between."""
    index = _empty_index(b)
    stored = read_in_batches(b.database, records_table.index_rows, READ_AT_ONCE)
    while some := list(islice(stored, READ_AT_ONCE)):
        index.add_batch([_known_row(row) for row in some])
    with b.database.reading() as con:
        index.add_ids(records_table.ids_without_texts(con))
        written = written_questions(con)
    return _screen(b, index, written, knows_all=True)


def screener_of_neighbours(b: Bonsai, records: Sequence[Record], but: Sequence[str] = ()) -> Screener:
    """Knows which of these records are stored, and their near questions; ignores the ids `but`."""
    b = b.kept()
    like = [one for record in records for one in records_with_words(b, search_words(record.instruction), NEIGHBOURS)]
    ids = [one.id for one in records]
    with b.database.reading() as con:
        keys = {question_key(one.instruction, one.input) for one in records}
        near = {one.record.id: one for one in (*similar.same_question(con, keys), *like)}
        written = written_questions(con)
        taken = records_table.existing_ids(con, ids) | tombstones_table.known(con, ids)
    index = _empty_index(b)
    index.add_batch([_known(one) for one in sorted(near.values(), key=_arrival) if one.record.id not in but])
    index.add_ids(taken.difference(but))
    return _screen(b, index, written, knows_all=False)


def _arrival(one: StoredRecord) -> tuple[datetime, str]:
    return one.created_at, one.record.id


def _empty_index(b: Bonsai) -> DuplicateIndex:
    return DuplicateIndex(b.config.duplicates)


def _screen(b: Bonsai, index: DuplicateIndex, written: Sequence[tuple[str, str, str]], *, knows_all: bool) -> Screener:
    return Screener(
        index, contamination_check(written), category_tagger(b), b.config.tags.category_threshold, knows_all
    )


def contamination_check(written: Sequence[tuple[str, str, str]]) -> ContaminationCheck:
    """Against the benchmark's questions, of every version, and the owner's: (id, instruction, input)."""
    items = [(one.id, one.instruction, one.input) for one in questions.all_questions()]
    return ContaminationCheck([*items, *written], kept=frozenset(item for item, _, _ in written))


def _known_row(row: records_table.IndexRow) -> IndexedRecord:
    return IndexedRecord(
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


def _known(stored: StoredRecord) -> IndexedRecord:
    return dedup.to_indexed(stored.record, stored.tags, active=stored.status is Status.ACTIVE)
