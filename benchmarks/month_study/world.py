"""What the owner tells in the month: invented facts of the seedling's own kinds, so that any number can be made.

Every fact is told in two wordings in each language and asked in a third. Up to the middle of the month they are about
pets, then about the household. Now and then facts are forgotten again. Everything follows from the seed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from research.seedling import world
from research.seedling.wordings import WORLD_LANGUAGES, wordings
from research.seedling.world.everyday import Household
from research.seedling.world.fact import Fact, WorldRecord

SEED = 20261201
NIGHTS = 30
FIRST_FACTS = 6
FACTS_A_NIGHT = 2
"24 records in the first night and 256 in the last: more than ten times as many."
SHIFT = 16
"The first night of the second topic."
TOPICS = (
    ("favourite", "where_does", "trait", "vet_said", "how_often", "why_behaviour"),
    ("who_does", "what_time", "when_event", "where_put", "how_many_needed", "what_for"),
)
FORGOTTEN = {12: (1, 9), 24: (4, 20)}
"Night -> numbers of the facts that are forgotten before it."
NEW_NIGHTS = 3
"A fact is new in the night that first learns it and the two after."
OLD_ASKED = 12
GENERAL_ASKED = 24


@dataclass(frozen=True, slots=True)
class Told:
    """One fact of the month."""

    number: int
    night: int
    "In which it is new; 1 is the first."
    records: tuple[WorldRecord, ...]
    asked: tuple[WorldRecord, ...]
    "One question in each language, in a wording that is never told."
    forgotten: int
    "The night before which it is forgotten; beyond the month when never."


def facts_of_the_month() -> tuple[Told, ...]:
    """All facts in the order in which they are told."""
    chance = random.Random(f"{SEED}/month")
    due = {number: night for night, numbers in FORGOTTEN.items() for number in numbers}
    made: list[Told] = []
    seen: set[str] = set()
    for night in range(1, NIGHTS + 1):
        household = Household(chance)
        wanted = len(made) + (FIRST_FACTS if night == 1 else FACTS_A_NIGHT)
        while len(made) < wanted:
            family = TOPICS[night >= SHIFT][len(made) % len(TOPICS[0])]
            fact = household.fact(family, len(made))
            question = f"{family} {sorted(fact.slots['en'].items())}"
            if question not in seen:
                seen.add(question)
                made.append(_told(fact, len(made), night, due.get(len(made), NIGHTS + 1), chance))
    return tuple(made)


def _told(fact: Fact, number: int, night: int, forgotten: int, chance: random.Random) -> Told:
    records, asked = [], []
    for language in WORLD_LANGUAGES:
        one, two, third = chance.sample(range(len(wordings(fact.family, language))), 3)
        records += [fact.record(language, one), fact.record(language, two)]
        asked.append(fact.record(language, third))
    return Told(number, night, tuple(records), tuple(asked), forgotten)


def questions(night: int) -> dict[str, tuple[WorldRecord, ...]]:
    """What is asked after a night, by group: about 60 questions.

    `new`: facts of the last nights; `old`: as many of the earlier ones of each topic as the group holds, the same all
    month as long as they are old; `general`: what the base knew; `forgotten`: facts that should be gone.
    """
    told = [one for one in facts_of_the_month() if one.night <= night]
    kept = [one for one in told if one.forgotten > night]
    old = [one for one in kept if one.night <= night - NEW_NIGHTS]
    # by a drawn number: when facts become old, a fixed share of the sample changes and the rest stays
    drawn = sorted(old, key=lambda one: random.Random(f"{SEED}/old/{one.number}").random())[:OLD_ASKED]
    groups = {
        "new": [one for one in kept if one.night > night - NEW_NIGHTS],
        "old": drawn,
        "forgotten": [one for one in told if one.forgotten <= night],
    }
    general = random.Random(f"{SEED}/general").sample(_general(), GENERAL_ASKED)
    return {name: tuple(q for one in facts for q in one.asked) for name, facts in groups.items()} | {
        "general": tuple(general)
    }


def _general() -> list[WorldRecord]:
    """Held-out wordings of what the seedling knows of the real world."""
    return [
        record
        for fact in world.general_only()
        for language in WORLD_LANGUAGES
        for record in fact.held_out_questions(language)
    ]
