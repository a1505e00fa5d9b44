"""Which records tell one fact in several wordings, so that the owner's suite can keep one of them from training.

Records with a fact key belong together by it. Others do when they answer in the same language with the same words
to questions that have something in common: equal answers mean the same fact only where they say enough, so a "Yes."
binds nothing together by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from bonsai.duplicates.index import Known
from bonsai.duplicates.keys import content_words, numbers, text_key

LOOSELY_SIMILAR = 45.0
"rapidfuzz token-set or partial ratio of two questions with one answer."
GENERIC = 200
"Records with one answer from which on the answer says nothing: a label, a yes."
SHORT_ANSWER = 8
"Characters of an answer's key up to which the questions must be more alike."
SHORT_ANSWER_SIMILAR = 62.0


@dataclass(frozen=True, slots=True)
class WordingGroup:
    """One fact in one language."""

    key: str
    "The fact key; `answer:` and 16 hex digits when the group was found by its answer."
    language: str
    record_ids: tuple[str, ...]
    "In the order given; different wordings only."


def wording_groups(records: Sequence[Known]) -> tuple[WordingGroup, ...]:
    """All groups, also those of one record, in the order of their first records. Deterministic."""
    by_fact: dict[tuple[str, str], list[Known]] = {}
    by_answer: dict[tuple[str, str, str], list[Known]] = {}
    for record in records:
        if record.fact:
            by_fact.setdefault((record.fact, record.language), []).append(record)
        else:
            by_answer.setdefault((record.language, text_key(record.output), text_key(record.input)), []).append(record)
    groups = [WordingGroup(fact, language, _wordings(members)) for (fact, language), members in by_fact.items()]
    for (language, *_), members in by_answer.items():
        for alike in _alike(members):
            first = alike[0]
            digest = hashlib.sha256(f"{language}\0{text_key(first.output)}\0{first.id}".encode()).hexdigest()
            groups.append(WordingGroup(f"answer:{digest[:16]}", language, _wordings(alike)))
    place = {record.id: number for number, record in enumerate(records)}
    return tuple(sorted(groups, key=lambda group: place[group.record_ids[0]]))


def _wordings(members: Sequence[Known]) -> tuple[str, ...]:
    """One id for each different question."""
    first: dict[str, str] = {}
    for member in members:
        first.setdefault(f"{text_key(member.instruction)}\0{text_key(member.input)}", member.id)
    return tuple(first.values())


def _alike(members: list[Known]) -> list[list[Known]]:
    """Members of one answer whose questions hang together, each with at least one other of its group."""
    if len(members) > GENERIC:
        return [[member] for member in members]
    groups: list[list[Known]] = []
    for member in members:
        apart, merged = [], [member]
        for group in groups:
            if any(same_question(member, other) for other in group):
                merged = group + merged
            else:
                apart.append(group)
        groups = [*apart, merged]
    return groups


def same_question(one: Known, other: Known) -> bool:
    """Loosely: the same numbers, a word of meaning in common, and some likeness. Both have the same answer."""
    if numbers(one.instruction) != numbers(other.instruction):
        return False
    a, b = one.instruction.casefold(), other.instruction.casefold()
    if not content_words(a) & content_words(b):
        return False
    alike = max(fuzz.token_set_ratio(a, b), fuzz.partial_ratio(text_key(a), text_key(b)))
    short = len(text_key(one.output)) <= SHORT_ANSWER
    return alike >= (SHORT_ANSWER_SIMILAR if short else LOOSELY_SIMILAR)
