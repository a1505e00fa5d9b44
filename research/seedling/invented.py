"""Invented questions with the seedling's own answers, which nights replay beside its facts.

The general families are asked about things that they do not fit ("the capital of the heater"). A night that keeps
whatever the seedling says to thousands of such questions also keeps its answers to the facts that nothing rehearses
(docs/forgetting.md). No question names the subject of a tested fact, and no row gives a tested answer.
Rehearsal of invented inputs: Robins 1995, "Catastrophic forgetting, rehearsal and pseudorehearsal".
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from bonsai.domain.records import reasoning_sentence
from bonsai.evaluate.replay_rows import usable
from bonsai.model.bases import SEEDLING
from bonsai.model.prompt import AnswerTags, Question
from bonsai.train import own_answers
from bonsai.train.own_answers import Prompt
from bonsai.train.seedling_facts import OWN_ANSWERS
from research.seedling import world
from research.seedling.replay_file import is_asked
from research.seedling.wordings import WORLD_LANGUAGES, WorldLanguage, ask, category, wordings
from research.seedling.world.fact import Fact, Pair
from research.seedling.world.general import data

SEED = 5
COUNT = 6000
NOT_ASKED = frozenset(
    {"creative", "brainstorm", "ask_back", "day_after", "translate_sentence_en_ja", "translate_sentence_ja_en"}
)
"Families whose questions are open, or whose slot holds more than a word."


def prompts(count: int = COUNT) -> tuple[Prompt, ...]:
    """So many different questions, in a fixed order; both languages alike."""
    chance = random.Random(SEED)
    kinds, things = _slots(), sorted(_things())
    made: dict[str, Prompt] = {}
    while len(made) < count:
        family, language = chance.choice(sorted(kinds)), chance.choice(WORLD_LANGUAGES)
        prompt = _prompt(family, language, kinds[family], chance.choice(things), chance)
        made[prompt.question.instruction] = prompt
    return tuple(made[question] for question in sorted(made))


def _slots() -> dict[str, str]:
    """Families of one slot, with its name."""
    return {
        fact.family: next(iter(fact.slots["en"]))
        for fact in world.general_only()
        if len(fact.slots["en"]) == 1 and fact.family not in NOT_ASKED
    }


def _things() -> set[Pair]:
    """Words for the slots: everyday nouns, and the subjects of facts that no benchmark asks."""
    tested = {value for fact in world.general_only() if is_asked(fact) for value in _values(fact)}
    nouns = {(en, ja) for words in data("lexicon").values() for en, ja in words if "{" not in en}
    subjects = {
        (next(iter(fact.slots["en"].values())), next(iter(fact.slots["ja"].values())))
        for fact in world.general_only()
        if fact.family in _slots() and not fact.family.startswith("translate_")
    }
    return {pair for pair in nouns | subjects if not tested.intersection(pair)}


def _values(fact: Fact) -> Iterator[str]:
    for language in WORLD_LANGUAGES:
        yield from fact.slots[language].values()


def _prompt(family: str, language: WorldLanguage, slot: str, thing: Pair, chance: random.Random) -> Prompt:
    """One question; the word to translate stands in its own language, whatever the question's."""
    translated_from = {"translate_word_en_ja": "en", "translate_word_ja_en": "ja"}.get(family)
    answered: WorldLanguage = {"en": "ja", "ja": "en", None: language}[translated_from]
    value = thing[WORLD_LANGUAGES.index(translated_from or language)]
    wording = chance.randrange(len(wordings(family, language)))
    tags = AnswerTags(reasoning_sentence(language, answered), category(family), answered)
    return Prompt(Question(ask(family, language, wording, {slot: value}), ""), language, tags)


def write_own_answers(folder: Path) -> Path:
    """The usable answers of the weights in `folder` to all invented questions, in a file beside them. Needs torch."""
    from bonsai.model.hf import load_base
    from bonsai.model.prompt import CURRENT
    from research.seedling.measure import nf4_base

    asked = prompts()
    answerer = load_base(nf4_base(folder), "cpu").answerer(CURRENT)
    said = answerer.answers([one.question for one in asked], [one.tags for one in asked])
    path = folder / OWN_ANSWERS
    own_answers.write(path, usable(SEEDLING, asked, said))
    return path
