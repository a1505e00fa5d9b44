"""Records that would teach the benchmark's own questions.

A record leaks when it asks what an item asks: the same question after normalisation, 13 words (or 20 characters of
Japanese) in a row, or 80 % of the item's 5-character shingles, and in each case the item's entities and numbers. So
"Can cats eat onions?" does not leak into "Can cats eat grapes?", nor into "Is it okay to give a cat onions?": other
wordings of a fact are how the fact is taught. Thresholds: Brown et al. 2020 (13-grams), Lee et al. 2022 (shingles).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rapidfuzz import fuzz

from bonsai.domain.records import Record
from bonsai.ingest.dedup.keys import content_words, numbers, text_key

WORDS = 13
CHARACTERS = 20
SHINGLE = 5
CONTAINMENT = 0.8
SAME_RATIO = 80.0
"rapidfuzz ratio of the whole questions ..."
PART_RATIO = 95.0
"... or of the item with the part of the question that is most like it."
READ_CHARACTERS = 1_000
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

    leaks: tuple[str, ...] = ()
    "Ids of items that the record would give away: it is held back."
    retires: tuple[str, ...] = ()
    "Ids of items that the owner's own record matches: it is accepted, and they retire from this home's gate."


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
    "Words in quotation marks: what a translation is asked of."


class ContaminationCheck:
    """The benchmark's questions, ready to be asked about many records."""

    def __init__(self, items: Iterable[tuple[str, str, str]], kept: frozenset[str] = frozenset()) -> None:
        """`items`: (id, instruction, input). `kept`: ids of those that no record retires, not even the owner's own."""
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
        """Which items a record leaks, or retires because it is the owner's own."""
        found = self.matches(record.instruction, record.input)
        if record.source not in OWN_SOURCES:
            return Contamination(leaks=found)
        leaks = tuple(item for item in found if item in self._kept)
        return Contamination(leaks, tuple(item for item in found if item not in self._kept))

    def matches(self, instruction: str, input: str = "") -> tuple[str, ...]:
        """Ids of the items that this question matches, in the items' order."""
        asked = instruction[:READ_CHARACTERS]
        key = text_key(asked)
        close = set(self._close(asked, key))
        if not close:
            return ()
        words = content_words(asked)
        passage = _shingles(text_key(input)) if input else frozenset()
        return tuple(
            item.id
            for number, item in enumerate(self._items)
            if number in close and _asks_the_same(item, asked, key, words) and _same_passage(item, passage)
        )

    def _close(self, asked: str, key: str) -> Iterator[int]:
        """Items with a run in common, or most of their shingles. An equal question has all of them."""
        shingles = _shingles(key)
        for number in {number for shingle in shingles for number in self._by_rare_shingle.get(shingle, ())}:
            item = self._items[number]
            shared = len(item.shingles & shingles)
            if shared >= CONTAINMENT * len(item.shingles) and _reads_the_same(item.key, key):
                yield number
        for run in _runs(asked, key):
            yield from self._by_run.get(run, ())


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
    """So many of an item's shingles that whoever shares 80 % of them all shares at least one of these."""
    missing = int((1 - CONTAINMENT) * len(shingles) + 1e-9)
    return sorted(shingles, key=lambda shingle: (usual[shingle], shingle))[: missing + 1]


def _reads_the_same(item: str, asked: str) -> bool:
    """Shingles may be shared by chance in a long question, and by all wordings of a short Japanese one."""
    return item in asked or fuzz.ratio(item, asked) >= SAME_RATIO or fuzz.partial_ratio(item, asked) >= PART_RATIO


def _asks_the_same(item: _Item, asked: str, key: str, words: frozenset[str]) -> bool:
    """The item's entities and numbers, and no other question about them ("How long is ..." is not "What is ...")."""
    if Counter(item.numbers) - Counter(numbers(asked)):
        return False
    questions = frozenset(_QUESTION_WORD.findall(asked.casefold()))
    if item.questions and questions and not item.questions & questions:
        return False
    if not item.words <= words or not all(quoted in asked for quoted in item.quoted):
        return False
    return item.key in key or all(word in key for word in _hiragana_words(item.key))


def _hiragana_words(key: str) -> Iterator[str]:
    """Words in hiragana that may name something (ぶどう); not the end of the sentence, which is grammar."""
    for run in _HIRAGANA_WORD.finditer(key):
        if run.end() < len(key):
            yield from (word for word in _PARTICLES.split(run[0]) if len(word) > 2)


def _same_passage(item: _Item, passage: frozenset[str]) -> bool:
    """An item about a passage is leaked only together with it: "Who won?" alone says nothing."""
    return len(item.input_shingles & passage) >= CONTAINMENT * len(item.input_shingles)


def _shingles(key: str) -> frozenset[str]:
    """5 characters each; 3 where the key is Japanese, whose characters say more."""
    size = 3 if _JAPANESE.search(key) else SHINGLE
    return frozenset(key[i : i + size] for i in range(max(len(key) - size + 1, 1)))


def _runs(text: str, key: str) -> Iterator[str]:
    if _JAPANESE.search(key):
        yield from (key[i : i + CHARACTERS] for i in range(len(key) - CHARACTERS + 1))
    else:
        words = _LATIN_WORD.findall(text.casefold())
        yield from (" ".join(words[i : i + WORDS]) for i in range(len(words) - WORDS + 1))
