"""Sixty Chinese records: twenty simple facts in three paraphrases each; a fourth is held out for evaluation.

Does a third language help a small model to separate the other two, or does it mix all three? The seed project trained
on a Chinese corpus; this table (`chinese.toml`) is our own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

from bonsai.domain.records import content_id, reasoning_sentence
from bonsai.domain.snapshots import Example
from bonsai.evaluate.questions import Item

DOMAIN = "chinese"
_CATEGORY = "open_qa"


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact in all its paraphrases."""

    name: str
    questions: tuple[str, ...]
    "The last one is held out."
    answer: str
    key: str
    "Keyword of a right answer."


def facts() -> tuple[Fact, ...]:
    """All facts of the table."""
    text = (resources.files("research.experiment") / "chinese.toml").read_text("utf-8")
    return tuple(_facts(tomllib.loads(text)["family"]))


def _facts(families: list[dict[str, object]]) -> Iterator[Fact]:
    for family in families:
        paraphrases, listed = family["wordings"], family["facts"]
        assert isinstance(paraphrases, list)
        assert isinstance(listed, list)
        for thing, value in listed:
            yield Fact(
                name=f"{family['name']}/{thing}",
                questions=tuple(str(paraphrase).format(thing=thing) for paraphrase in paraphrases),
                answer=str(family["answer"]).format(thing=thing, value=value),
                key=value,
            )


def records() -> tuple[Example, ...]:
    """The training records."""
    return tuple(_example(question, fact.answer) for fact in facts() for question in fact.questions[:-1])


def _example(question: str, answer: str) -> Example:
    return Example(
        record_id=content_id(question, "", answer),
        role="own",
        instruction=question,
        context="",
        reasoning=reasoning_sentence("zh", "zh"),
        category=_CATEGORY,
        language="zh",
        output=answer,
    )


def questions() -> tuple[Item, ...]:
    """Each fact in its held-out paraphrase."""
    return tuple(
        Item(
            id=f"{DOMAIN}/{fact.name}",
            pool=DOMAIN,
            cluster=fact.name,
            domain=DOMAIN,
            category=_CATEGORY,
            language="zh",
            question_language="zh",
            instruction=fact.questions[-1],
            input="",
            reference=fact.answer,
            accepted=(fact.key,),
        )
        for fact in facts()
    )
