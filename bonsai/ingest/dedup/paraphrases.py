"""Which records tell one fact in several wordings, so that the owner's suite can keep one of them from training.

Records with a fact key belong together by it. Others do when they answer in the same language with the same words
to questions that have something in common: equal answers mean the same fact only where they say enough, so a "Yes."
binds nothing together by itself.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from bonsai.ingest.dedup.index import IndexedRecord
from bonsai.ingest.dedup.keys import content_words, text_key

SPECIFIC_ANSWER = 10
"Characters of an answer's key from which on it says enough: one word of meaning in common is enough then."
SIMILAR = 62.0
"rapidfuzz token-set or partial ratio that the questions of a shorter answer need."
GENERIC = 200
"Records with one answer from which on the answer says nothing: a label, a yes."
_DIGITS = re.compile(r"\d+")
_JAPANESE = re.compile(r"[\u3041-\u30ff\u4e00-\u9fff]")
_LATIN_WORD = re.compile(r"[a-z]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ParaphraseGroup:
    """One fact, asked and answered in one language."""

    key: str
    "The fact key; `answer:` and 16 hex digits when the group was found by its answer."
    language: str
    "The answer's."
    record_ids: tuple[str, ...]
    "In the order given; different wordings only."


def paraphrase_groups(records: Sequence[IndexedRecord]) -> tuple[ParaphraseGroup, ...]:
    """All groups, also those of one record, in the order of their first records. Deterministic."""
    by_fact: dict[tuple[str, ...], list[IndexedRecord]] = {}
    by_answer: dict[tuple[str, ...], list[IndexedRecord]] = {}
    for record in records:
        script = _asked_in(record.instruction)
        if record.fact:
            by_fact.setdefault((record.fact, record.language, script), []).append(record)
        else:
            answered: tuple[str, ...] = (record.language, script, text_key(record.output), text_key(record.input))
            by_answer.setdefault(answered, []).append(record)
    groups = [
        ParaphraseGroup(fact, language, _paraphrases(members)) for (fact, language, _), members in by_fact.items()
    ]
    for key, members in by_answer.items():
        for alike in _alike(members):
            digest = hashlib.sha256("\0".join((*key, alike[0].id)).encode()).hexdigest()
            groups.append(ParaphraseGroup(f"answer:{digest[:16]}", key[0], _paraphrases(alike)))
    place = {record.id: number for number, record in enumerate(records)}
    return tuple(sorted(groups, key=lambda group: place[group.record_ids[0]]))


def _paraphrases(members: Sequence[IndexedRecord]) -> tuple[str, ...]:
    """One id for each different question."""
    first: dict[str, str] = {}
    for member in members:
        first.setdefault(f"{text_key(member.instruction)}\0{text_key(member.input)}", member.id)
    return tuple(first.values())


def _alike(members: list[IndexedRecord]) -> list[list[IndexedRecord]]:
    """Members of one answer whose questions hang together, each with at least one other of its group."""
    if len(members) > GENERIC:
        return [[member] for member in members]
    groups: list[list[IndexedRecord]] = []
    for member in members:
        apart, merged = [], [member]
        for group in groups:
            if any(same_question(member, other) for other in group):
                merged = group + merged
            else:
                apart.append(group)
        groups = [*apart, merged]
    return groups


def same_question(one: IndexedRecord, other: IndexedRecord) -> bool:
    """Loosely: the same numbers, a word of meaning or the passage in common, some likeness. Both have one answer."""
    a, b = one.instruction.casefold(), other.instruction.casefold()
    if sorted(_DIGITS.findall(a)) != sorted(_DIGITS.findall(b)):
        return False
    if not (one.input or content_words(a) & content_words(b)):
        return False
    if len(text_key(one.output)) >= SPECIFIC_ANSWER:
        return True
    return max(fuzz.token_set_ratio(a, b), fuzz.partial_ratio(text_key(a), text_key(b))) >= SIMILAR


def _asked_in(instruction: str) -> str:
    """The script of the question: one in English that wants a Japanese answer is no wording of the Japanese one."""
    return "ja" if len(_JAPANESE.findall(instruction)) > len(_LATIN_WORD.findall(instruction)) else "latin"
