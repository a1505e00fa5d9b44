"""Question templates: the paraphrases of each family of questions, in both languages (`wording` in code and data).

One data file (`world/wordings.toml`) is shared by the seedling's world, the samples and the benchmark: a small
model answers a third paraphrase of a new fact only if it has met that paraphrase about other things (measured).

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
    """The paraphrases of a family in one language. Raises KeyError for an unknown family."""
    return _all_wordings()[family][language]


def category(family: str) -> str:
    """Record category of a family."""
    return CATEGORIES.get(family, "open_qa")


def ask(family: str, language: WorldLanguage, wording: int, slots: Mapping[str, str]) -> str:
    """One question: paraphrase number `wording` filled with `slots`, with a capital first letter."""
    filled = wordings(family, language)[wording].format(**slots)
    return filled[:1].upper() + filled[1:]
