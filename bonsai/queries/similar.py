"""Own records that a question may be about.

The score is that of `ingest.retrieval`. Up to `MAX_COMPARED` records are all compared; of more, only those with the
question's rarest words (`storage.scale.similar`), and the database is free in between. Likeness is not proof.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bonsai.context import Bonsai
from bonsai.domain.characters import normalise
from bonsai.domain.records import Source, Status
from bonsai.errors import UsageError
from bonsai.ingest.dedup.comparison import content_words, text_key
from bonsai.ingest.retrieval import fold, groups_of, rank
from bonsai.ingest.tags.language import guess_question
from storage.scale import similar
from storage.scale.similar import ScoredRecord
from storage.tables import records_table
from storage.tables.record_rows import StoredRecord

MOST = 5
MOST_QUOTED = 3
"A chat model gets these with the question."
MAX_COMPARED = 500
"Records that are compared with a question."
MIN_LIKENESS = 0.15
"Smallest share of the question's weight that a record must have to be named."
MAX_OTHER_WORDS = 16
"Of the thesaurus, that a search of many records looks for beside the question's own: the first of each group."
RANKED_PER_QUOTED = 4
"Some give the same answer."
LANGUAGE_BONUS = 0.15
SOURCE_BONUS: dict[Source, float] = {"feedback": 0.1, "self": 0.07, "community": 0.03, "import": 0.0}
"What counts as so much more likeness: of records that are alike, a correction comes first, then one's own experience."
_ID = re.compile(r"[0-9a-f]{8,64}")
_HAN = re.compile(r"[\u4e00-\u9fff々]{3,}")
_HIRAGANA = re.compile(r"[\u3041-\u309f]{3,}")


@dataclass(frozen=True, slots=True)
class SimilarRecord:
    """An own record that a question may be about."""

    id: str
    instruction: str
    output: str
    subject: str
    happened_on: date | None
    source: Source
    source_name: str
    status: Status
    likeness: float
    "0 to 1."


def similar_records(b: Bonsai, question: str, context: str = "", most: int = MOST) -> tuple[SimilarRecord, ...]:
    """Most alike first; those in the question's language and one's own come a little before others.

    May be empty. Raises UsageError for an empty question.
    """
    asked = normalise(f"{question}\n{context}").strip()
    if not normalise(question):
        raise UsageError("pipeline.empty_question")
    with b.database.reading() as con:
        found = similar.all_current(con, MAX_COMPARED)
    if found is None:
        groups = [group for groups in groups_of(fold(asked)).values() for group in groups]
        others = dict.fromkeys(word for place in (0, 1) for group in groups for word in group.words[place : place + 1])
        words = [*search_words(asked), *list(others)[:MAX_OTHER_WORDS]]
        found = records_with_words(b, words, MAX_COMPARED)
    texts = [f"{one.record.subject} {one.record.instruction} {one.record.input} {one.record.output}" for one in found]
    language = guess_question(asked).language
    near = rank(asked, texts, most=most, at_least=MIN_LIKENESS)
    ordered = sorted(near, key=lambda one: -_worth(found[one.number], one.likeness, language))
    return tuple(_similar(found[one.number], one.likeness) for one in ordered)


def quoted_records(b: Bonsai, question: str, context: str = "") -> tuple[SimilarRecord, ...]:
    """What the records say to a question, each answer once. Raises UsageError for an empty question."""
    once: dict[str, SimilarRecord] = {}
    for one in similar_records(b, question, context, RANKED_PER_QUOTED * MOST_QUOTED):
        once.setdefault(text_key(one.output), one)
    return tuple(once.values())[:MOST_QUOTED]


def _worth(stored: StoredRecord, likeness: float, language: str) -> float:
    return likeness + LANGUAGE_BONUS * (stored.tags.language.value == language) + SOURCE_BONUS[stored.record.source]


def records_with_words(b: Bonsai, words: Sequence[str], most: int) -> list[StoredRecord]:
    """Records with the rarest of the words; read in steps, so that no page or writer waits for all of them."""
    blocks: dict[str, list[int]] = {}
    for word in sorted({word.lower() for word in words if word}):
        with b.database.reading() as con:
            blocks[word] = similar.candidate_blocks(con, word)
    query = similar.plan(blocks)
    found: list[ScoredRecord] = []
    for step in similar.plan_steps(query):
        with b.database.reading() as con:
            found += similar.score_step(con, query, step)
    return [one.stored for one in sorted(found, key=lambda one: -one.score)[:most]]


def similar_to(b: Bonsai, said: str, most: int = MOST) -> tuple[SimilarRecord, ...]:
    """Records similar to a record, given by its id or at least 8 characters of one, or to a text.

    Raises UnknownId, UsageError.
    """
    if not _ID.fullmatch(said):
        return similar_records(b, said, most=most)
    with b.database.reading() as con:
        record = records_table.get(con, said).record
    found = similar_records(b, f"{record.instruction} {record.output}", most=most + 1)
    return tuple(one for one in found if one.id != record.id)[:most]


def search_words(text: str) -> list[str]:
    """Search words of a text: content words, long runs of Han as bigrams, hiragana only if nothing else is left."""
    words = set(content_words(text))
    for run in _HAN.findall(text):
        words.discard(run)
        words |= {run[i : i + 2] for i in range(len(run) - 1)}
    if not words:
        words = {run[i : i + 3] for run in _HIRAGANA.findall(text) for i in range(len(run) - 2)}
    return sorted(words)


def _similar(stored: StoredRecord, likeness: float) -> SimilarRecord:
    record = stored.record
    return SimilarRecord(
        record.id,
        record.instruction,
        record.output,
        record.subject,
        record.happened_on,
        record.source,
        record.source_name,
        stored.status,
        round(likeness, 3),
    )


def existing_records(b: Bonsai, ids: tuple[str, ...]) -> list[StoredRecord]:
    """The records whose texts still exist, in order."""
    with b.database.reading() as con:
        return [one for one in similar.by_ids(con, ids) if one.status is not Status.FORGOTTEN]
