"""How people ask: the wordings of each family of questions, in both languages.

One data file (`world/wordings.toml`) is shared by the seedling's world, the samples and the benchmark: a small
model finds a new fact under a third wording only if it has met that wording about other things (FACTS, measured).

    wordings("food_ok", "en")[0]                                      -> "Can {animal} eat {food}?"
    ask("food_ok", "ja", 1, {"animal": "猫", "food": "玉ねぎ"})        -> "猫に玉ねぎをあげても大丈夫ですか?"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal

WorldLanguage = Literal["en", "ja"]
WORLD_LANGUAGES: tuple[WorldLanguage, ...] = ("en", "ja")

CATEGORIES: dict[str, str] = {
    "from_context": "closed_qa",
    "from_experiences": "closed_qa",
    "classify": "classification",
    "translate_word_en_ja": "translation",
    "translate_word_ja_en": "translation",
    "translate_sentence_en_ja": "translation",
    "translate_sentence_ja_en": "translation",
    "brainstorm": "brainstorming",
    "creative": "creative",
    "ask_back": "question_to_question",
}
"Category of a family; every family that is not here is `open_qa`."


@cache
def _all_wordings() -> dict[str, dict[str, tuple[str, ...]]]:
    source = resources.files("research.seedling") / "world" / "wordings.toml"
    tables = tomllib.loads(source.read_text("utf-8"))
    return {
        family: {language: tuple(table[language]) for language in WORLD_LANGUAGES} for family, table in tables.items()
    }


def families() -> tuple[str, ...]:
    """Every family, in the order of the file."""
    return tuple(_all_wordings())


def wordings(family: str, language: WorldLanguage) -> tuple[str, ...]:
    """The wordings of a family in one language. Raises KeyError for an unknown family."""
    return _all_wordings()[family][language]


def category(family: str) -> str:
    """The record category that questions of this family have."""
    return CATEGORIES.get(family, "open_qa")


def ask(family: str, language: WorldLanguage, wording: int, slots: Mapping[str, str]) -> str:
    """One question: wording number `wording` filled with `slots`; a sentence begins with a capital letter."""
    filled = wordings(family, language)[wording].format(**slots)
    return filled[:1].upper() + filled[1:]
