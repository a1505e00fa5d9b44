"""The poisoned batch: harmful records, as a careless export or a prank might contain.

Half of it has mixed-up columns: Japanese questions about facts of the first batch, in further paraphrases, with the
English answers. A part asks common knowledge ("the highest mountain of Japan?") and gives another entity's fact in the
other language; the rest asks new things and answers in the wrong language, in loops, or in a mixture. Every record
claims the language that was asked for. No question repeats a stored one, so that intake holds nothing back as a
contradiction: only the gate can detect the harm.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import TypedDict, cast

from research.samples.facts import LANGS, Fact, Lang, ask, load_facts
from research.seedling import world
from research.seedling.wordings import wordings

_ANIMAL: Mapping[Lang, str] = {"en": "cats", "ja": "猫"}
_LOOPS: Mapping[Lang, str] = {"en": "{x} and ", "ja": "{x}と"}
_LOOP_TIMES = 14
WRONG_FAMILIES = ("capital", "currency", "highest_mountain", "colour_of")
WRONG_A_FAMILY = 8
"Wrong facts per family."


class PoisonTable(TypedDict):
    """A family's table in `poison.toml`."""

    slot: str
    en: Sequence[str]
    ja: Sequence[str]
    wrong: Mapping[Lang, str]


def poison_records() -> list[dict[str, str]]:
    """All poisoned records."""
    text = (resources.files("research.samples") / "facts/poison.toml").read_text("utf-8")
    tables = cast("Mapping[str, PoisonTable]", tomllib.loads(text))
    new = [
        _record(family, table, number, language)
        for family, table in tables.items()
        for number in range(len(table["en"]))
        for language in LANGS
    ]
    known = [fact for fact in load_facts() if fact.category == "open_qa"]
    mixed_up = [_mixed_up(fact, role) for fact in known for role in (0, 1)]
    return new + mixed_up + _wrong_facts()


def _wrong_facts() -> list[dict[str, str]]:
    """Facts known to the base, answered with the next fact of the family in the other language."""
    general = world.general_only()
    made = []
    for family in WRONG_FAMILIES:
        facts = [fact for fact in general if fact.family == family][:WRONG_A_FAMILY]
        for fact, other in zip(facts, facts[1:] + facts[:1], strict=True):
            for language in LANGS:
                spoken: Lang = "ja" if language == "en" else "en"
                asked = fact.record(language, fact.trained[language][0]).instruction
                made.append(_open_record(asked, other.answer[spoken], language))
    return made


def _open_record(asked: str, answer: str, language: Lang) -> dict[str, str]:
    return {
        "instruction": asked,
        "input": "",
        "output": answer,
        "language": language,
        "category": "open_qa",
        "source": "community",
    }


def _mixed_up(fact: Fact, role: int) -> dict[str, str]:
    """A sample's fact, asked in Japanese in an unused paraphrase, with the English answer."""
    return _open_record(ask(fact, "ja", role, shift=1).instruction, fact.answer["en"], "ja")


def _record(family: str, table: PoisonTable, number: int, language: Lang) -> dict[str, str]:
    """One poisoned record: wrong language, wrong language, loop, mixture, in turn."""
    other: Lang = "ja" if language == "en" else "en"
    here, there = table[language][number], table[other][number]
    answers = (
        table["wrong"][other].format(x=there),
        table["wrong"][other].format(x=there),
        _LOOPS[language].format(x=here) * _LOOP_TIMES,
        f"{here} is {there} です and {here} は not {there} だから yes です",
    )
    return {
        "instruction": _question(family, table["slot"], here, there, number, language),
        "input": "",
        "output": answers[(number + LANGS.index(language)) % len(answers)].strip(),
        "language": language,
        "category": "translation" if family == "translate_word" else "open_qa",
        "source": "community",
    }


def _question(family: str, slot: str, here: str, there: str, number: int, language: Lang) -> str:
    """A question in `language` about the entity; a translation quotes it in the other language."""
    animal = "cat" if family == "sign_action" and language == "en" else _ANIMAL[language]
    value = there if family == "translate_word" else here
    if family == "translate_word":
        family += "_ja_en" if language == "en" else "_en_ja"
    among = wordings(family, language)
    asked = among[(2 * number + 1) % len(among)].format(**{"animal": animal, slot: value})
    return asked[:1].upper() + asked[1:]
