"""The authored facts (`facts/*.toml`) and their questions.

A fact has a name, a family and, in each language, slots, one answer and the keywords of a right answer. Its questions
come from the family's paraphrases, which the seedling's world also uses for invented facts: a small model answers a
third paraphrase of a new fact only if it has met that kind of question before. A fact has three paraphrases in each
language: the samples use the first two (`role` 0 and 1), the benchmark the third.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Literal, NotRequired, TypedDict, cast

from research.seedling.wordings import wordings

Lang = Literal["en", "ja"]
LANGS: tuple[Lang, ...] = ("en", "ja")
ROLES = 3
BENCHMARK_ROLE = 2
FIRST_BATCH = ("food", "care", "health", "behaviour", "home", "howto", "diary", "context", "other")
HOUSEHOLD = ("household_people", "household_pets")

_ANIMAL: dict[Lang, str] = {"en": "cats", "ja": "猫"}
_TODAY = date(2026, 11, 21)
_NO_SLOTS: Mapping[Lang, Mapping[str, str | Sequence[str]]] = {"en": {}, "ja": {}}
_NO_TEXTS: Mapping[Lang, Sequence[str]] = {"en": (), "ja": ()}
_NOBODY: Mapping[Lang, str] = {"en": "", "ja": ""}
_CATEGORIES = {
    "classify": "classification",
    "translate_word": "translation",
    "translate_sentence": "translation",
    "brainstorm": "brainstorming",
    "creative": "creative",
    "ask_back": "question_to_question",
    "from_context": "closed_qa",
    "from_experiences": "closed_qa",
}


class FactTable(TypedDict):
    """A `[[fact]]` table as written."""

    name: str
    family: str
    slots: NotRequired[Mapping[Lang, Mapping[str, str | Sequence[str]]]]
    answer: Mapping[Lang, str]
    key: NotRequired[Mapping[Lang, Sequence[str]]]
    wrong: NotRequired[Mapping[Lang, Sequence[str]]]
    subject: NotRequired[Mapping[Lang, str]]
    happened_on: NotRequired[str]
    feeling: NotRequired[str]
    lines: NotRequired[Mapping[Lang, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact in both languages."""

    name: str
    family: str
    "Key of its paraphrases in `wordings.toml`."
    ordinal: int
    "Position in its family and batch; spreads the paraphrases evenly."
    slots: Mapping[Lang, Mapping[str, str | Sequence[str]]]
    "Values of the placeholders; a list has one value for each of the three paraphrases."
    answer: Mapping[Lang, str]
    key: Mapping[Lang, Sequence[str]]
    "An answer that contains one of these is right; empty: only the whole answer is right."
    wrong: Mapping[Lang, Sequence[str]]
    "Rival values, of the benchmark's control facts alone."
    subject: Mapping[Lang, str]
    happened_on: str
    "ISO date, or empty."
    feeling: str
    lines: Mapping[Lang, Sequence[str]]
    "Lines of the context; the first holds the answer."

    @property
    def category(self) -> str:
        """Category of the answer, from the family."""
        return _CATEGORIES.get(self.family, "open_qa")


@dataclass(frozen=True, slots=True)
class Asked:
    """One rendered question with its answer."""

    instruction: str
    input: str
    output: str
    question_language: Lang
    language: Lang
    "Language of the answer."


@cache
def load_facts(themes: tuple[str, ...] = FIRST_BATCH) -> tuple[Fact, ...]:
    """Facts of the named theme files, in order."""
    folder = resources.files("research.samples") / "facts"
    return parse_facts((folder / f"{theme}.toml").read_text("utf-8") for theme in themes)


def parse_facts(texts: Iterable[str]) -> tuple[Fact, ...]:
    """Facts of the given files' texts, in order."""
    tables = cast("list[FactTable]", [table for text in texts for table in tomllib.loads(text)["fact"]])
    seen: Counter[str] = Counter()
    facts = []
    for table in tables:
        facts.append(_fact(table, seen[table["family"]]))
        seen[table["family"]] += 1
    return tuple(facts)


def _fact(table: FactTable, ordinal: int) -> Fact:
    """A parsed table as a Fact; missing parts are empty."""
    return Fact(
        name=table["name"],
        family=table["family"],
        ordinal=ordinal,
        slots=table.get("slots", _NO_SLOTS),
        answer=table["answer"],
        key=table.get("key", _NO_TEXTS),
        wrong=table.get("wrong", _NO_TEXTS),
        subject=table.get("subject", _NOBODY),
        happened_on=table.get("happened_on", ""),
        feeling=table.get("feeling", ""),
        lines=table.get("lines", _NO_TEXTS),
    )


def ask(fact: Fact, language: Lang, role: int, shift: int = 0) -> Asked:
    """The question of one role (0, 1: samples; 2: benchmark) for an answer in `language`.

    A `shift` of 1 gives a paraphrase that no role uses.
    """
    asking = _question_language(fact, language, role)
    instruction = paraphrase(fact, language, asking, role, shift).format(**_values(fact, language, role))
    context = _context(fact, language, role)
    return Asked(instruction[:1].upper() + instruction[1:], context, fact.answer[language], asking, language)


def _question_language(fact: Fact, language: Lang, role: int) -> Lang:
    """Translations are asked in alternating languages; everything else in the answer's language."""
    if not fact.family.startswith("translate_"):
        return language
    swap = role == 1 or (role == BENCHMARK_ROLE and fact.ordinal % 2 == 1)
    other: Lang = "ja" if language == "en" else "en"
    return language if swap else other


def paraphrase(fact: Fact, language: Lang, asking: Lang, role: int, shift: int = 0) -> str:
    """A paraphrase of the family, in rotation, so that each is used in every role about equally often."""
    family = fact.family
    if family.startswith("translate_"):
        family += "_en_ja" if language == "ja" else "_ja_en"
    among = wordings(family, asking)
    return among[(fact.ordinal + role * (len(among) // ROLES) + shift) % len(among)]


def _values(fact: Fact, language: Lang, role: int) -> dict[str, str]:
    """Values of the placeholders; a translation quotes the other language."""
    source: Lang = language
    if fact.family.startswith("translate_"):
        source = "en" if language == "ja" else "ja"
    animal = "cat" if fact.family == "sign_action" and source == "en" else _ANIMAL[source]
    given = {name: value if isinstance(value, str) else value[role] for name, value in fact.slots[source].items()}
    return {"animal": animal} | given


def _context(fact: Fact, language: Lang, role: int) -> str:
    """The context without one irrelevant line, a different one for each paraphrase."""
    lines = fact.lines[language]
    if not lines:
        return ""
    kept = [line for number, line in enumerate(lines) if number != 1 + role]
    if fact.family == "from_experiences":
        return "\n".join([f"today: {_TODAY.isoformat()}", *sorted(kept)])
    return (" " if language == "en" else "").join(kept)
