"""Facts and questions of the month: invented facts of the seedling's families, in any number.

Every fact has records in two paraphrases per language and a question in a third. Facts are about pets up to the middle
of the month, then about the household. Some facts are forgotten later. Everything follows from the seed.
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
"24 records in the first night and 256 in the last."
SHIFT = 16
"The first night of the second topic."
TOPICS = (
    ("favourite", "where_does", "trait", "vet_said", "how_often", "why_behaviour"),
    ("who_does", "what_time", "when_event", "where_put", "how_many_needed", "what_for"),
)
FORGOTTEN = {12: (1, 9), 24: (4, 20)}
"Night -> numbers of the facts forgotten before it."
NEW_NIGHTS = 3
"A fact is new in the night that first learns it and the two after."
OLD_ASKED = 12
GENERAL_ASKED = 24


@dataclass(frozen=True, slots=True)
class MonthFact:
    """One fact of the month."""

    number: int
    night: int
    "First night that trains on it; 1 is the first of the month."
    records: tuple[WorldRecord, ...]
    asked: tuple[WorldRecord, ...]
    "One question in each language, in a paraphrase that no record uses."
    forgotten: int
    "The night before which it is forgotten; later than the month if never."


def facts_of_the_month() -> tuple[MonthFact, ...]:
    """All facts in order of arrival."""
    chance = random.Random(f"{SEED}/month")
    due = {number: night for night, numbers in FORGOTTEN.items() for number in numbers}
    made: list[MonthFact] = []
    seen: set[str] = set()
    for night in range(1, NIGHTS + 1):
        household = Household(chance)
        count = len(made) + (FIRST_FACTS if night == 1 else FACTS_A_NIGHT)
        while len(made) < count:
            family = TOPICS[night >= SHIFT][len(made) % len(TOPICS[0])]
            fact = household.fact(family, len(made))
            question = f"{family} {sorted(fact.slots['en'].items())}"
            if question not in seen:
                seen.add(question)
                made.append(_month_fact(fact, len(made), night, due.get(len(made), NIGHTS + 1), chance))
    return tuple(made)


def _month_fact(fact: Fact, number: int, night: int, forgotten: int, chance: random.Random) -> MonthFact:
    records, asked = [], []
    for language in WORLD_LANGUAGES:
        one, two, third = chance.sample(range(len(wordings(fact.family, language))), 3)
        records += [fact.record(language, one), fact.record(language, two)]
        asked.append(fact.record(language, third))
    return MonthFact(number, night, tuple(records), tuple(asked), forgotten)


def questions(night: int) -> dict[str, tuple[WorldRecord, ...]]:
    """Questions after a night, by group: about 60.

    `new`: facts of the last nights; `old`: a sample of earlier ones that changes as little as possible;
    `general`: facts that the base knew; `forgotten`: facts that should be gone.
    """
    known = [one for one in facts_of_the_month() if one.night <= night]
    kept = [one for one in known if one.forgotten > night]
    old = [one for one in kept if one.night <= night - NEW_NIGHTS]
    # ranked by a random number per fact, so that newly old facts replace only part of the sample
    drawn = sorted(old, key=lambda one: random.Random(f"{SEED}/old/{one.number}").random())[:OLD_ASKED]
    groups = {
        "new": [one for one in kept if one.night > night - NEW_NIGHTS],
        "old": drawn,
        "forgotten": [one for one in known if one.forgotten <= night],
    }
    general = random.Random(f"{SEED}/general").sample(_general(), GENERAL_ASKED)
    return {name: tuple(q for one in facts for q in one.asked) for name, facts in groups.items()} | {
        "general": tuple(general)
    }


def _general() -> list[WorldRecord]:
    """Held-out paraphrases of the seedling's real-world facts."""
    return [
        record
        for fact in world.general_only()
        for language in WORLD_LANGUAGES
        for record in fact.held_out_questions(language)
    ]
