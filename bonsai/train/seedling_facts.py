"""Replay samples of the seedling: records of the facts that it was pre-trained on.

Half of them are facts, as many as possible: no fact repeats in a language before its whole family was used in both. No
benchmark asks them. The other half are the seedling's own answers to invented questions, which keep what nothing
rehearses (docs/forgetting.md). Both ship beside the weights; `python -m research seedling replay` makes the files.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from bonsai.domain.records import content_id, reasoning_sentence
from bonsai.domain.snapshots import Example
from bonsai.model.seedling import weights_folder
from bonsai.train import own_answers

FILE = "replay.json.gz"
OWN_ANSWERS = "own_answers.jsonl.gz"
OWN_SHARE = 0.5
"Of own answers to invented questions among the samples, as far as there are any."
GENERAL_SHARE = 0.95
"The rest is about invented names: the night's own records keep those kinds of question alive."

RULES = frozenset({"translate_sentence_en_ja", "translate_sentence_ja_en", "creative", "brainstorm", "sum", "classify"})
"Families that follow a rule more than they are known by heart; a rule survives with fewer replays."
RULE_SHARE = 0.4

ACROSS_SHARE = 0.08
"Asked in one language for an answer in the other; without these an answer stays in its question's language (measured)."

ReplayLanguage = Literal["en", "ja"]
LANGUAGES: tuple[ReplayLanguage, ...] = ("en", "ja")


@dataclass(frozen=True, slots=True)
class ReplayFact:
    """One fact in both languages, with the questions that the pre-training used for it."""

    family: str
    category: str
    general: bool
    "False: it is about an invented name, or answered from a passage."
    questions: Mapping[ReplayLanguage, tuple[str, ...]]
    answer: Mapping[ReplayLanguage, str]
    "By the question's language."
    context: Mapping[ReplayLanguage, str]


_Choice = tuple[ReplayFact, ReplayLanguage]


def samples(count: int, seed: int, own_share: float = OWN_SHARE) -> list[Example]:
    """`count` rows in both languages alike: known facts in trained paraphrases, own answers to invented questions."""
    own = own_answers.samples(own_answers.read(weights_folder() / OWN_ANSWERS).rows, int(count * own_share), seed)
    return [*fact_samples(count - len(own), seed), *own]


def fact_samples(count: int, seed: int) -> list[Example]:
    """`count` rows of known facts in trained paraphrases, over all families, in both languages alike."""
    chance = random.Random(f"{seed}/anchors")
    facts, lead_ins = replay_facts()
    among_general = _rounds(tuple(fact for fact in facts if fact.general), chance)
    among_invented = _rounds(tuple(fact for fact in facts if not fact.general), chance)
    made: list[Example] = []
    for number in range(count):
        is_general = int((number + 1) * GENERAL_SHARE) > int(number * GENERAL_SHARE)
        fact, language = next(among_general if is_general else among_invented)
        made.append(_row(fact, language, lead_ins, chance))
    return made


@cache
def replay_facts() -> tuple[tuple[ReplayFact, ...], Mapping[ReplayLanguage, tuple[str, ...]]]:
    """The shipped facts, and by language the sentences that ask for an answer in that language."""
    with gzip.open(weights_folder() / FILE, "rt", encoding="utf-8") as file:
        found = json.load(file)
    return tuple(ReplayFact(**values) for values in found["facts"]), found["lead_ins"]


def _row(
    fact: ReplayFact, asked: ReplayLanguage, lead_ins: Mapping[ReplayLanguage, tuple[str, ...]], chance: random.Random
) -> Example:
    question = chance.choice(fact.questions[asked])
    if _answers_in_its_language(fact) or chance.random() >= ACROSS_SHARE:
        return _example(fact, asked, question, _answer_language(fact, asked), fact.answer[asked])
    other = _other(asked)
    return _example(fact, asked, chance.choice(lead_ins[other]).format(question=question), other, fact.answer[other])


def all_rows() -> Iterator[Example]:
    """Every row that may be drawn."""
    yield from own_answers.read(weights_folder() / OWN_ANSWERS).rows
    facts, lead_ins = replay_facts()
    for fact in facts:
        for asked in LANGUAGES:
            other = _other(asked)
            for question in fact.questions[asked]:
                yield _example(fact, asked, question, _answer_language(fact, asked), fact.answer[asked])
                if not _answers_in_its_language(fact):
                    for lead_in in lead_ins[other]:
                        yield _example(fact, asked, lead_in.format(question=question), other, fact.answer[other])


def _answers_in_its_language(fact: ReplayFact) -> bool:
    """Never asked across languages: a translation, or a question about a passage."""
    return fact.family.startswith(("translate_", "from_"))


def _answer_language(fact: ReplayFact, asked: ReplayLanguage) -> ReplayLanguage:
    if fact.family.startswith("translate_"):
        return "ja" if fact.family.endswith("_ja") else "en"
    return asked


def _other(language: ReplayLanguage) -> ReplayLanguage:
    return "ja" if language == "en" else "en"


def _example(fact: ReplayFact, asked: ReplayLanguage, question: str, answered: ReplayLanguage, answer: str) -> Example:
    context = fact.context[asked]
    return Example(
        record_id=content_id(question, context, answer),
        role="anchor",
        instruction=question,
        context=context,
        reasoning=reasoning_sentence(asked, answered),
        category=fact.category,
        language=answered,
        output=answer,
    )


def _rounds(among: tuple[ReplayFact, ...], chance: random.Random) -> Iterator[_Choice]:
    """Endlessly: a family by the square root of its size, and its facts in rounds."""
    groups: dict[str, list[_Choice]] = {}
    for fact in among:
        groups.setdefault(fact.family, []).extend((fact, language) for language in LANGUAGES)
    decks = {family: chance.sample(group, len(group)) for family, group in groups.items()}
    weights = [len(group) ** 0.5 * (RULE_SHARE if family in RULES else 1.0) for family, group in groups.items()]
    while True:
        family = chance.choices(list(decks), weights)[0]
        if not decks[family]:
            decks[family] = chance.sample(groups[family], len(groups[family]))
        yield decks[family].pop()
