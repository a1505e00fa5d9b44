"""Suggestions while a record is being typed: tags, likely categories, duplicates and contradictions.

Finds exact duplicates, near duplicates in any wording, and other answers to the same question. The cost is a scan of
one column and a read of the few blocks of most similar records (`storage.scale.similar`). A busy database is skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rapidfuzz import fuzz

from bonsai.context import Bonsai
from bonsai.domain.records import Origin, Record, Status, Tags, parse
from bonsai.errors import IntegrityError, LockTimeout
from bonsai.ingest import dedup, tags
from bonsai.ingest.dedup.index import DuplicateFinding, DuplicateIndex, IndexedRecord, question_key
from bonsai.ingest.tags.category import CategoryTagger
from storage.scale import similar
from storage.tables import records_table
from storage.tables.record_rows import StoredRecord

MAX_CATEGORIES = 3
"Other categories to offer."
MAX_SAME_QUESTION = 5
"Newest stored answers to the same question that are compared."
MIN_FORM_SIMILARITY = 60.0
"rapidfuzz score, 0 to 100, below which two texts are not similar in form."
MAX_COMPARED = 24
"Most similar records that are judged as in an import."
LOCK_WAIT_SECONDS = 0.2
"Wait for the database at most this long: the next keystroke asks again."


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What Bonsai would make of a record before it is submitted."""

    tags: Tags
    likely: tuple[str, ...]
    "Other categories, most likely first; empty without a trained tagger."
    exact: StoredRecord | None = None
    "The exact duplicate; a forgotten one is not stored again."
    contradicts: tuple[StoredRecord, ...] = ()
    "Other answers to the same question: the new record would be held back."
    near: tuple[StoredRecord, ...] = ()
    "Near duplicates; both would train."


def suggest(b: Bonsai, fields: Mapping[str, str], tagger: CategoryTagger | None) -> Suggestion | None:
    """None while question and answer do not make a valid record. Without a tagger, only the rules are used."""
    texts = {name: fields.get(name, "") for name in ("instruction", "input", "output")}
    record = parse(texts, Origin("form"), limits=b.config.records)
    if not isinstance(record, Record):
        return None
    tagged = tags.tag(record, tagger, threshold=b.config.tags.category_threshold)
    found = _related_records(b, record, tagged)
    by_id = {one.record.id: one for one in found}
    if record.id in by_id:
        return Suggestion(tagged, _likely_categories(record, tagged, tagger), exact=by_id[record.id])
    finding = _judge(b, record, tagged, found)
    contradicts, near = ([by_id[one] for one in ids] for ids in (finding.contradicts, finding.near))
    return Suggestion(tagged, _likely_categories(record, tagged, tagger), None, tuple(contradicts), tuple(near))


def existing_tagger(b: Bonsai) -> CategoryTagger | None:
    """The home's tagger if it exists; unlike `category_tagger`, never trains one, which takes seconds."""
    made = sorted(b.home.glob("tagger-*.npz"), key=lambda path: path.stat().st_mtime_ns)
    try:
        return CategoryTagger.load(made[-1]) if made else None
    except (FileNotFoundError, IntegrityError):
        return None


def _likely_categories(record: Record, tagged: Tags, tagger: CategoryTagger | None) -> tuple[str, ...]:
    ranked = tagger.ranked(record) if tagger else []
    return tuple(one for one in ranked if one != tagged.category.value)[:MAX_CATEGORIES]


def _related_records(b: Bonsai, record: Record, tagged: Tags) -> list[StoredRecord]:
    """Records with the same id or question, and the most similar ones; empty while the database is busy."""
    key = question_key(record.instruction, record.input)
    try:
        with replace(b.database, lock_wait_seconds=LOCK_WAIT_SECONDS).reading() as con:
            same = records_table.same_question(con, key, record.id, MAX_SAME_QUESTION)
            like = similar.most_similar(con, f"{record.instruction}\n{record.input}\n{record.output}")
    except LockTimeout:
        return []
    met = {one.record.id: one for one in (*same, *_similar_in_form(record, like))}
    return [*met.values()]


def _similar_in_form(record: Record, like: list[StoredRecord]) -> list[StoredRecord]:
    """Records somewhat similar in form. A cheap prefilter: judging each of them takes ten times as long."""
    asked, answered = record.instruction.casefold(), record.output.casefold()
    shares = (
        (
            max(
                fuzz.ratio(asked, one.record.instruction.casefold()), fuzz.ratio(answered, one.record.output.casefold())
            ),
            one,
        )
        for one in like
    )
    best = sorted((share, number, one) for number, (share, one) in enumerate(shares) if share >= MIN_FORM_SIMILARITY)
    return [one for _, _, one in best[::-1][:MAX_COMPARED]]


def _judge(b: Bonsai, record: Record, tagged: Tags, related: list[StoredRecord]) -> DuplicateFinding:
    """Judge as intake does, against the given records only."""
    index = DuplicateIndex(b.config.duplicates)
    index.add_batch([_indexed(one) for one in related])
    return index.judge_batch([dedup.to_indexed(record, tagged)], add=False)[0]


def _indexed(stored: StoredRecord) -> IndexedRecord:
    known = dedup.to_indexed(stored.record, stored.tags, active=stored.status is Status.ACTIVE)
    return replace(known, correction=False, question_key=stored.question_key)
