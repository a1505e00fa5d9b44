"""Replay samples: records of the seedling's knowledge, trained again against forgetting.

At this size a fact that is not replayed is forgotten within a minute of training (measured), so the samples cover as
many facts as possible: no fact repeats in a language before its whole family was used in both.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from bonsai.domain.records import content_id
from bonsai.domain.snapshots import Example, Role
from bonsai.model.seedling import world
from bonsai.model.seedling.wordings import WORLD_LANGUAGES, WorldLanguage
from bonsai.model.seedling.world.fact import Fact, WorldRecord
from bonsai.model.seedling.world.general import data

GENERAL_SHARE = 0.95
"The rest is about invented names: the night's own records keep those kinds of question alive."

RULES = frozenset({"translate_sentence_en_ja", "translate_sentence_ja_en", "creative", "brainstorm", "sum", "classify"})
"Families that follow a rule more than they are known by heart; a rule survives with fewer replays."
RULE_SHARE = 0.4

ACROSS_SHARE = 0.08
"Asked in one language for an answer in the other; without these an answer stays in its question's language (measured)."

_Asked = tuple[Fact, WorldLanguage]


def replay_samples(count: int, seed: int) -> list[WorldRecord]:
    """`count` records of known facts in trained wordings, over all families, in both languages alike."""
    chance = random.Random(f"{seed}/anchors")
    general = world.general_only()
    families = {fact.family for fact in general}
    among_general = _rounds(general, chance)
    among_invented = _rounds(tuple(fact for fact in world.facts() if fact.family not in families), chance)
    made: list[WorldRecord] = []
    for number in range(count):
        is_general = int((number + 1) * GENERAL_SHARE) > int(number * GENERAL_SHARE)
        fact, language = next(among_general if is_general else among_invented)
        made.append(_record(fact, language, chance))
    return made


def row_of(made: WorldRecord, role: Role = "anchor") -> Example:
    """A record of the world as a row that trains."""
    return Example(
        record_id=content_id(made.instruction, made.context, made.output),
        role=role,
        instruction=made.instruction,
        context=made.context,
        reasoning=made.reasoning,
        category=made.category,
        language=made.language,
        output=made.output,
    )


def _record(fact: Fact, language: WorldLanguage, chance: random.Random) -> WorldRecord:
    wording = chance.choice(fact.trained[language])
    if fact.family.startswith(("translate_", "from_")) or chance.random() >= ACROSS_SHARE:
        return fact.record(language, wording)
    other: WorldLanguage = "ja" if language == "en" else "en"
    return fact.across(language, other, wording, chance.choice(data("phrases")["lead_in"][other]))


def _rounds(among: tuple[Fact, ...], chance: random.Random) -> Iterator[_Asked]:
    """Endlessly: a family by the square root of its size, and its facts in rounds."""
    groups: dict[str, list[_Asked]] = {}
    for fact in among:
        groups.setdefault(fact.family, []).extend((fact, language) for language in WORLD_LANGUAGES)
    decks = {family: chance.sample(group, len(group)) for family, group in groups.items()}
    weights = [len(group) ** 0.5 * (RULE_SHARE if family in RULES else 1.0) for family, group in groups.items()]
    while True:
        family = chance.choices(list(decks), weights)[0]
        if not decks[family]:
            decks[family] = chance.sample(groups[family], len(groups[family]))
        yield decks[family].pop()
