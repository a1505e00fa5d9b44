"""The seedling's world: about two thousand facts in two languages, and endless invented facts for practice.

    facts(seed)                 facts that the seedling learns, each with held-out paraphrases
    practice(chance)            a new invented household at each call: paraphrases and passages

Everything follows from the seed. The pieces: `fact.py`, `everyday.py` (pet care and daily life, invented),
`general.py` (real knowledge and language), `given.py` (passages and diaries).
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from functools import cache

from research.seedling.wordings import WORLD_LANGUAGES, WorldLanguage
from research.seedling.world.everyday import Household, everyday_facts, everyday_families
from research.seedling.world.fact import Fact, WorldRecord
from research.seedling.world.general import data, fresh_language_facts, general_facts
from research.seedling.world.given import diary_fact, given_facts, passage_fact

SEED = 20261121
INVENTED_EACH = 20
"Facts of each everyday family that the seedling memorises."
GIVEN_EACH = 60
ACROSS_SHARE = 0.06
"Share of records that request an answer in the other language."
LEAD_IN_SHARE = 0.15
"Share of records with a lead-in that does not change the question."
WIDE_MARK_SHARE = 0.25
NO_MARK_SHARE = 0.08


@cache
def facts(seed: int = SEED) -> tuple[Fact, ...]:
    """Every fact that the seedling learns."""
    chance = random.Random(f"{seed}/facts")
    return (
        *general_facts(chance),
        *everyday_facts(chance, INVENTED_EACH),
        *given_facts(chance, GIVEN_EACH),
    )


def general_only(seed: int = SEED) -> tuple[Fact, ...]:
    """Facts that need neither invented names nor a context."""
    apart = {*everyday_families(), "from_context", "from_experiences"}
    return tuple(fact for fact in facts(seed) if fact.family not in apart)


def held_out_records(seed: int = SEED) -> tuple[WorldRecord, ...]:
    """Every known fact in every held-out paraphrase."""
    return tuple(
        record for fact in facts(seed) for language in WORLD_LANGUAGES for record in fact.held_out_questions(language)
    )


def practice(chance: random.Random) -> Iterator[Fact]:
    """One invented household: facts of every kind about it, some passages, and some language."""
    household = Household(chance)
    for family in everyday_families():
        yield household.fact(family, chance.randrange(12))
    for number in range(3):
        yield passage_fact(chance, household, number)
        yield diary_fact(chance, household, number)
    yield from fresh_language_facts(chance, household, chance.randrange(12))


def asked(fact: Fact, language: WorldLanguage, wording: int, chance: random.Random) -> WorldRecord:
    """One question about a fact: mostly plain, sometimes with a lead-in, across languages, or carelessly punctuated."""
    return _carelessly(_asked(fact, language, wording, chance), chance)


def _carelessly(record: WorldRecord, chance: random.Random) -> WorldRecord:
    """Sometimes with the full-width question mark of Japanese keyboards, sometimes without a final mark."""
    drawn, question = chance.random(), record.instruction
    if drawn < WIDE_MARK_SHARE and record.question_language == "ja":
        question = question.replace("?", "\N{FULLWIDTH QUESTION MARK}")
    elif drawn > 1 - NO_MARK_SHARE and not record.family.startswith("translate_sentence"):
        question = question.rstrip("?.。")
    return dataclasses.replace(record, instruction=question)


def _asked(fact: Fact, language: WorldLanguage, wording: int, chance: random.Random) -> WorldRecord:
    lead_ins = data("phrases")["lead_in"]
    drawn = chance.random()
    other: WorldLanguage = "ja" if language == "en" else "en"
    if drawn < ACROSS_SHARE and not fact.family.startswith(("translate_", "from_")):
        return fact.across(language, other, wording, chance.choice(lead_ins[other]))
    if drawn > 1 - LEAD_IN_SHARE:
        return fact.record(language, wording, chance.choice(lead_ins[f"plain_{language}"]))
    return fact.record(language, wording)
