"""Contamination check: records that would teach the benchmark's own questions.

A record is contaminated when it asks what an item asks: the same question after normalisation, 13 words (or 20
characters of Japanese) in a row, or 80 % of the item's 5-character shingles, and in each case the item's entities and
numbers. So "Can cats eat onions?" matches neither "Can cats eat grapes?" nor "Is it okay to give a cat onions?":
paraphrases of a fact are how the fact is taught. Thresholds: Brown et al. 2020 (13-grams), Lee et al. 2022 (shingles).

Replay samples are checked more strictly (`ReplayCheck`): no person decides about one, and the items that no night
teaches measure what is forgotten, so neither their questions nor their answers may be replayed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from rapidfuzz import fuzz

from bonsai.domain.records import Record
from bonsai.ingest.dedup.comparison import content_words, numbers, text_key

WORDS = 13
CHARACTERS = 20
SHINGLE = 5
CONTAINMENT = 0.8
SAME_RATIO = 80.0
"rapidfuzz ratio of the whole questions ..."
PART_RATIO = 95.0
"... or of the item with the part of the question that is most like it."
MAX_QUESTION_CHARACTERS = 1_000
"Of a record's question."
OWN_SOURCES = frozenset(("self", "feedback"))
_LATIN_WORD = re.compile(r"[a-z0-9\u00c0-\u024f']+")
_JAPANESE = re.compile(r"[\u3041-\u30ff\u4e00-\u9fff]")
_QUESTION_WORD = re.compile(
    r"\b(?:who|whom|whose|when|where|why|which|what|how (?:many|much|long|often|old|far|tall|big)|how)\b"
    "|何[年月日時曜人匹個本回歳枚]|何|誰|だれ|いつ|どこ|なぜ|どうして|どう|どれ|どの|いくつ|いくら"
)
_QUOTED = re.compile(r"(?<=[「『\"“])[^「」『』\"“”]{1,40}(?=[」』\"”])")
_HIRAGANA_WORD = re.compile(r"[\u3041-\u3096]{3,}")
_PARTICLES = re.compile(r"[をはがにでとの]|って|から|まで|も")


@dataclass(frozen=True, slots=True)
class Contamination:
    """What matching the benchmark means for a record."""

    contaminated: tuple[str, ...] = ()
    "Ids of items that the record would teach: it is held back."
    retires: tuple[str, ...] = ()
    "Ids of items that the owner's own record matches: it is accepted, and the items retire from this home's gate."


@dataclass(frozen=True, slots=True)
class _Item:
    id: str
    key: str
    input_shingles: frozenset[str]
    shingles: frozenset[str]
    runs: frozenset[str]
    "All runs of 13 words or 20 Japanese characters."
    words: frozenset[str]
    numbers: tuple[str, ...]
    questions: frozenset[str]
    "What, who, how many ..."
    quoted: tuple[str, ...]
    "Words in quotation marks: what a translation is question of."


class ContaminationCheck:
    """Matches records against the benchmark's items."""

    def __init__(self, items: Iterable[tuple[str, str, str]], kept: frozenset[str] = frozenset()) -> None:
        """`items`: (id, instruction, input). `kept`: ids of items that no record retires, not even the owner's."""
        self._kept = kept
        self._items = [_item(*item) for item in items]
        self._by_rare_shingle: dict[str, list[int]] = {}
        self._by_run: dict[str, list[int]] = {}
        usual = Counter(shingle for item in self._items for shingle in item.shingles)
        for number, item in enumerate(self._items):
            for shingle in _rarest(item.shingles, usual):
                self._by_rare_shingle.setdefault(shingle, []).append(number)
            for run in item.runs:
                self._by_run.setdefault(run, []).append(number)

    def __len__(self) -> int:
        return len(self._items)

    def judge(self, record: Record) -> Contamination:
        """The items that a record contaminates, or retires if it is the owner's own."""
        found = self.matches(record.instruction, record.input)
        if record.source not in OWN_SOURCES:
            return Contamination(contaminated=found)
        contaminated = tuple(item for item in found if item in self._kept)
        return Contamination(contaminated, tuple(item for item in found if item not in self._kept))

    def matches(self, instruction: str, input: str = "") -> tuple[str, ...]:
        """Ids of the items that this question matches, in the items' order."""
        question = instruction[:MAX_QUESTION_CHARACTERS]
        key = text_key(question)
        close = set(self._close(question, key))
        if not close:
            return ()
        words = content_words(question)
        passage = _shingles(text_key(input)) if input else frozenset()
        return tuple(
            item.id
            for number, item in enumerate(self._items)
            if number in close and _same_question(item, question, key, words) and _same_passage(item, passage)
        )

    def _close(self, question: str, key: str) -> Iterator[int]:
        """Candidate items: those that share a run or most of their shingles. An equal question shares all."""
        shingles = _shingles(key)
        for number in {number for shingle in shingles for number in self._by_rare_shingle.get(shingle, ())}:
            item = self._items[number]
            shared = len(item.shingles & shingles)
            if shared >= CONTAINMENT * len(item.shingles) and _similar_wording(item.key, key):
                yield number
        for run in _runs(question, key):
            yield from self._by_run.get(run, ())


REFERENCE_CHARACTERS = 5
"A shorter reference, normalised, is a word that an answer holds by chance; the shortest of a whole sentence has five."


class ReplayCheck:
    """Finds rows that must not be replayed: they hold a benchmark's question or answer."""

    def __init__(
        self, items: Iterable[tuple[str, str, str]], references: Iterable[str], normalise: Callable[[str], str]
    ) -> None:
        """`items`: as for ContaminationCheck. `references`: right answers that no row may give.

        `normalise` makes answers comparable.
        """
        self._questions = ContaminationCheck(items)
        self._normalise = normalise
        self._references = frozenset(one for one in map(normalise, references) if len(one) >= REFERENCE_CHARACTERS)

    def finds(self, instruction: str, input: str, output: str) -> bool:
        """The row asks an item's question, its answer repeats one, or its answer holds a reference."""
        answer = self._normalise(output)
        return (
            bool(self._questions.matches(instruction, input))
            or any(self._questions.matches(part) for part in _parts(output))
            or any(reference in answer for reference in self._references)
        )


def _parts(text: str) -> Iterator[str]:
    """Overlapping parts of a text, each as long as a question may be."""
    step = MAX_QUESTION_CHARACTERS // 2
    yield from (text[at : at + MAX_QUESTION_CHARACTERS] for at in range(0, max(len(text) - step, 1), step))


def _item(id: str, instruction: str, input: str) -> _Item:
    key = text_key(instruction)
    return _Item(
        id=id,
        key=key,
        input_shingles=_shingles(text_key(input)) if input else frozenset(),
        shingles=_shingles(key),
        runs=frozenset(_runs(instruction, key)),
        words=content_words(instruction),
        numbers=numbers(instruction),
        questions=frozenset(_QUESTION_WORD.findall(instruction.casefold())),
        quoted=tuple(_QUOTED.findall(instruction)),
    )


def _rarest(shingles: frozenset[str], usual: Counter[str]) -> list[str]:
    """Enough of an item's rarest shingles that a text with 80 % of all has at least one of them (prefix filter)."""
    missing = int((1 - CONTAINMENT) * len(shingles) + 1e-9)
    return sorted(shingles, key=lambda shingle: (usual[shingle], shingle))[: missing + 1]


def _similar_wording(item: str, question: str) -> bool:
    """Similar as strings: a long question shares shingles by chance, a short Japanese one with all paraphrases."""
    return (
        item in question or fuzz.ratio(item, question) >= SAME_RATIO or fuzz.partial_ratio(item, question) >= PART_RATIO
    )


def _same_question(item: _Item, question: str, key: str, words: frozenset[str]) -> bool:
    """The same entities, numbers and question words ("How long is ..." is not "What is ...")."""
    if Counter(item.numbers) - Counter(numbers(question)):
        return False
    questions = frozenset(_QUESTION_WORD.findall(question.casefold()))
    if item.questions and questions and not item.questions & questions:
        return False
    if not item.words <= words or not all(quoted in question for quoted in item.quoted):
        return False
    return item.key in key or all(word in key for word in _hiragana_words(item.key))


def _hiragana_words(key: str) -> Iterator[str]:
    """Hiragana words that may be entities (ぶどう), without the sentence's end, which is grammar."""
    for run in _HIRAGANA_WORD.finditer(key):
        if run.end() < len(key):
            yield from (word for word in _PARTICLES.split(run[0]) if len(word) > 2)


def _same_passage(item: _Item, passage: frozenset[str]) -> bool:
    """An item about a passage matches only with the passage: "Who won?" alone reveals nothing."""
    return len(item.input_shingles & passage) >= CONTAINMENT * len(item.input_shingles)


def _shingles(key: str) -> frozenset[str]:
    """Shingles of 5 characters, or of 3 for Japanese, whose characters carry more."""
    size = 3 if _JAPANESE.search(key) else SHINGLE
    return frozenset(key[i : i + size] for i in range(max(len(key) - size + 1, 1)))


def _runs(text: str, key: str) -> Iterator[str]:
    if _JAPANESE.search(key):
        yield from (key[i : i + CHARACTERS] for i in range(len(key) - CHARACTERS + 1))
    else:
        words = _LATIN_WORD.findall(text.casefold())
        yield from (" ".join(words[i : i + WORDS]) for i in range(len(words) - WORDS + 1))
