"""The duplicate index over all records: exact duplicates, near duplicates and contradictions of each new record.

    index = Index()
    index.add_batch(stored)                          # Known rows of the database
    findings = index.judge_batch(new, add=True)      # in order: a record meets those before it in its own batch

Exact: the content id. Near: at least 88 of 100 by rapidfuzz on the question's key, the same numbers, similar answers;
flagged, never dropped, because templated questions that differ in one entity score as high. Comparing all pairs is too
slow, so only records whose MinHash signatures share a band are compared (Broder 1997; Leskovec et al., Mining of
Massive Datasets, ch. 3). Contradicting: the same question, input and language, and a clearly different answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

import numpy as np
from annotated_types import Ge, Le
from rapidfuzz import fuzz

from bonsai.domain.records import Category
from bonsai.ingest.dedup.comparison import contradict, numbers, text_key
from bonsai.ingest.dedup.ngrams import ngrams, remix
from bonsai.system.defaults import default_section

QUESTION_CHARACTERS = 240
PASSAGE_CHARACTERS = 120
ANSWER_CHARACTERS = 200
"Compared and kept in memory of each."
BANDS = 12
ROWS = 3
"12 bands of 3: a pair with Jaccard similarity 0.6 becomes a candidate with 95 %, one with 0.2 with 9 %."
SHINGLE = 3
MAX_CANDIDATES = 24
"Records compared with a new one, newest first."
MAX_NEAR_IDS = 5
_OPEN_ENDED = frozenset((Category.BRAINSTORMING.value, Category.CREATIVE.value))


@dataclass(frozen=True, slots=True)
class IndexedRecord:
    """A stored or new record as the index needs it."""

    id: str
    instruction: str
    input: str
    output: str
    language: str
    "The answer's language, as tagged."
    category: str = ""
    fact: str = ""
    active: bool = True
    "Only active records are compared; any other counts by its id, for exact duplicates."
    correction: bool = False
    "A person's correction, which overrules what it contradicts."
    question_key: str = ""
    "From `question_key`; empty: computed when needed."


@dataclass(frozen=True, slots=True)
class DuplicateFinding:
    """The result for one record."""

    exact: bool
    "The same texts after normalisation."
    near: tuple[str, ...] = ()
    "Ids of near duplicates, most similar first."
    contradicts: tuple[str, ...] = ()
    "Ids of active records with a different answer to the same question; a correction overrules them."


@dataclass(frozen=True, slots=True)
class NearDuplicateSettings:
    """When two records are near duplicates; `[duplicates]` of the settings."""

    question_ratio: Annotated[float, Ge(50), Le(100)]
    answer_ratio: Annotated[float, Ge(0), Le(100)]


NEAR = NearDuplicateSettings(**default_section("duplicates"))
Key = TypeVar("Key", str, int)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A record in the form that is compared."""

    id: str
    question_digest: str
    "Digest of language and question key: equal for the same question."
    question: str
    answer: str
    raw_answer: str
    "Empty when too long to contradict."
    numbers: tuple[str, ...]
    fact: str
    open_ended: bool


Bucket = int | list[int]
"Indices of entries. Most buckets hold one: a plain int costs no list, and the garbage collector skips it."


@dataclass(slots=True)
class DuplicateIndex:
    """The index; about 1.5 kB for each record."""

    settings: NearDuplicateSettings = NEAR
    _ids: set[str] = field(default_factory=set)
    _entries: list[_Entry] = field(default_factory=list)
    _by_band: dict[int, Bucket] = field(default_factory=dict)
    _by_question: dict[str, Bucket] = field(default_factory=dict)
    _overruled: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, id: str) -> bool:
        return id in self._ids

    def add_ids(self, ids: Iterable[str]) -> None:
        """Add ids without texts, i.e. of forgotten records."""
        self._ids.update(ids)

    def add_batch(self, known: Sequence[IndexedRecord]) -> None:
        """Add records without judging them."""
        for row, entry, bands in self._prepared(known):
            self._add(row, entry, bands)

    def judge_batch(self, records: Sequence[IndexedRecord], *, add: bool = True) -> list[DuplicateFinding]:
        """Judge records in order. With `add`, each joins the index; a contradicting one only by its id."""
        findings = []
        for row, entry, bands in self._prepared(records):
            finding = self._judge(row, entry, bands)
            findings.append(finding)
            if add and not finding.exact:
                self._learn(row, entry, bands, finding)
        return findings

    def _learn(self, row: IndexedRecord, entry: _Entry, bands: list[int], finding: DuplicateFinding) -> None:
        if finding.contradicts and not row.correction:
            self._ids.add(row.id)
        else:
            self._overruled.update(finding.contradicts)
            self._add(row, entry, bands)

    def _prepared(self, rows: Sequence[IndexedRecord]) -> Iterable[tuple[IndexedRecord, _Entry, list[int]]]:
        entries = [_entry(row) for row in rows]
        return zip(rows, entries, _bands([entry.question for entry in entries]), strict=True)

    def _add(self, row: IndexedRecord, entry: _Entry, bands: list[int]) -> None:
        self._ids.add(row.id)
        if not row.active:
            return
        number = len(self._entries)
        self._entries.append(entry)
        _put(self._by_question, entry.question_digest, number)
        for band in bands:
            bucket = _put(self._by_band, band, number)
            if bucket is not None and len(bucket) > MAX_CANDIDATES:
                del bucket[0]

    def _judge(self, row: IndexedRecord, entry: _Entry, bands: list[int]) -> DuplicateFinding:
        if row.id in self._ids:
            return DuplicateFinding(exact=True)
        same = (self._entries[number] for number in _numbers(self._by_question.get(entry.question_digest)))
        contradicted = tuple(
            other.id for other in same if other.id not in self._overruled and _contradict(row, entry, other)
        )
        return DuplicateFinding(exact=False, near=self._near(entry, bands), contradicts=contradicted)

    def _near(self, entry: _Entry, bands: list[int]) -> tuple[str, ...]:
        candidates = {number for band in bands for number in _numbers(self._by_band.get(band))}
        found: list[tuple[float, int]] = []
        for number in sorted(candidates, reverse=True)[:MAX_CANDIDATES]:
            other = self._entries[number]
            if entry.numbers != other.numbers or other.id in self._overruled:
                continue
            ratio = fuzz.ratio(entry.question, other.question, score_cutoff=self.settings.question_ratio)
            if ratio and self._similar_answers(entry.answer, other.answer):
                found.append((ratio, number))
        found.sort(key=lambda pair: (-pair[0], pair[1]))
        return tuple(self._entries[number].id for _, number in found[:MAX_NEAR_IDS])

    def _similar_answers(self, answer: str, other: str) -> bool:
        """Whether answers are similar, or one begins with the other: "No." and "No, never."."""
        begins = answer.startswith(other) or other.startswith(answer)
        return begins or fuzz.ratio(answer, other) >= self.settings.answer_ratio


def _put(buckets: dict[Key, Bucket], key: Key, number: int) -> list[int] | None:
    """Add an index to a bucket; returns the bucket once it is a list."""
    bucket = buckets.get(key)
    if bucket is None:
        buckets[key] = number
        return None
    if isinstance(bucket, int):
        bucket = buckets[key] = [bucket]
    bucket.append(number)
    return bucket


def _numbers(bucket: Bucket | None) -> Sequence[int]:
    if isinstance(bucket, list):
        return bucket
    return () if bucket is None else (bucket,)


def question_key(instruction: str, input: str = "") -> str:
    """Equal for the same question: it ignores case and punctuation, and includes a digest of the passage."""
    return f"{text_key(instruction)}\0{_digest(input)}" if input else text_key(instruction)


def _digest(text: str) -> str:
    return hashlib.blake2b("".join(text.casefold().split()).encode(), digest_size=12).hexdigest()


def _entry(row: IndexedRecord) -> _Entry:
    question = text_key(row.instruction[:QUESTION_CHARACTERS])
    if row.input:
        question = f"{question}\0{text_key(row.input[:PASSAGE_CHARACTERS])}"
    return _Entry(
        id=row.id,
        question_digest=_digest(f"{row.language}\0{row.question_key or question_key(row.instruction, row.input)}"),
        question=question,
        answer=text_key(row.output[:ANSWER_CHARACTERS]),
        raw_answer=row.output if len(row.output) <= ANSWER_CHARACTERS else "",
        numbers=numbers(f"{row.instruction[:QUESTION_CHARACTERS]} {row.input[:PASSAGE_CHARACTERS]}"),
        fact=row.fact,
        open_ended=row.category in _OPEN_ENDED,
    )


def _contradict(row: IndexedRecord, entry: _Entry, other: _Entry) -> bool:
    if entry.open_ended or other.open_ended or (row.fact and row.fact == other.fact):
        return False
    return bool(other.raw_answer) and contradict(row.instruction, row.output, other.raw_answer)


def _bands(questions: Sequence[str]) -> list[list[int]]:
    """The MinHash bands of each question. (questions, BANDS)"""
    if not questions:
        return []
    found = ngrams(questions, SHINGLE)
    starts = np.searchsorted(found.rows, np.arange(len(questions)))
    bands = []
    for band in range(BANDS):
        key = np.full(len(questions), band + 1, dtype=np.uint64)
        for row in range(ROWS):
            lowest = np.minimum.reduceat(remix(found.hashes, ROWS * band + row + 1), starts)
            key = remix(key ^ lowest, row)
        bands.append(key)
    return [list(map(int, keys)) for keys in np.stack(bands, axis=1)]
