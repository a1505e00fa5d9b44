"""Groups of paraphrases, from which the personal evaluation set holds one out of training.

Records with the same fact key are one group. Others are grouped when they give the same answer in the same language to
related questions: equal answers mean the same fact only if they are specific, so a "Yes." alone groups nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from bonsai.ingest.dedup.comparison import content_words, text_key
from bonsai.ingest.dedup.index import IndexedRecord

SPECIFIC_ANSWER = 10
"Length of an answer's key from which it is specific: one shared content word is then enough."
SIMILAR = 62.0
"rapidfuzz token-set or partial ratio that questions with a shorter answer need."
GENERIC = 200
"Records with one answer from which the answer is generic: a label, a yes."
_DIGITS = re.compile(r"\d+")
_JAPANESE = re.compile(r"[\u3041-\u30ff\u4e00-\u9fff]")
_LATIN_WORD = re.compile(r"[a-z]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ParaphraseGroup:
    """One fact, asked and answered in one language."""

    key: str
    "The fact key, or `answer:` and 16 hex digits for a group found by its answer."
    language: str
    "The answer's."
    record_ids: tuple[str, ...]
    "In the order given, one for each distinct question."


def paraphrase_groups(records: Sequence[IndexedRecord]) -> tuple[ParaphraseGroup, ...]:
    """All groups, including single records, in the order of their first records. Deterministic."""
    by_fact: dict[tuple[str, ...], list[IndexedRecord]] = {}
    by_answer: dict[tuple[str, ...], list[IndexedRecord]] = {}
    for record in records:
        script = _question_script(record.instruction)
        if record.fact:
            by_fact.setdefault((record.fact, record.language, script), []).append(record)
        else:
            answered: tuple[str, ...] = (record.language, script, text_key(record.output), text_key(record.input))
            by_answer.setdefault(answered, []).append(record)
    groups = [
        ParaphraseGroup(fact, language, _distinct_questions(members))
        for (fact, language, _), members in by_fact.items()
    ]
    for key, members in by_answer.items():
        for group_members in _connected_groups(members):
            digest = hashlib.sha256("\0".join((*key, group_members[0].id)).encode()).hexdigest()
            groups.append(ParaphraseGroup(f"answer:{digest[:16]}", key[0], _distinct_questions(group_members)))
    place = {record.id: number for number, record in enumerate(records)}
    return tuple(sorted(groups, key=lambda group: place[group.record_ids[0]]))


def _distinct_questions(members: Sequence[IndexedRecord]) -> tuple[str, ...]:
    """One id for each distinct question."""
    first: dict[str, str] = {}
    for member in members:
        first.setdefault(f"{text_key(member.instruction)}\0{text_key(member.input)}", member.id)
    return tuple(first.values())


def _connected_groups(members: list[IndexedRecord]) -> list[list[IndexedRecord]]:
    """Connected components of records with one answer, by `are_paraphrases`."""
    if len(members) > GENERIC:
        return [[member] for member in members]
    groups: list[list[IndexedRecord]] = []
    for member in members:
        separate, merged = [], [member]
        for group in groups:
            if any(are_paraphrases(member, other) for other in group):
                merged = group + merged
            else:
                separate.append(group)
        groups = [*separate, merged]
    return groups


def are_paraphrases(one: IndexedRecord, other: IndexedRecord) -> bool:
    """Of two records with one answer: the same numbers, a shared content word or passage, some similarity."""
    a, b = one.instruction.casefold(), other.instruction.casefold()
    if sorted(_DIGITS.findall(a)) != sorted(_DIGITS.findall(b)):
        return False
    if not (one.input or content_words(a) & content_words(b)):
        return False
    if len(text_key(one.output)) >= SPECIFIC_ANSWER:
        return True
    return max(fuzz.token_set_ratio(a, b), fuzz.partial_ratio(text_key(a), text_key(b))) >= SIMILAR


def _question_script(instruction: str) -> str:
    """The question's script: an English question for a Japanese answer is no paraphrase of a Japanese question."""
    return "ja" if len(_JAPANESE.findall(instruction)) > len(_LATIN_WORD.findall(instruction)) else "latin"
