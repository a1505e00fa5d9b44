"""Writes the facts of which nights draw replay samples (`bonsai.train.seedling_facts`), from the seedling's world.

A fact that the benchmark asks is not among them, in no wording and no language: otherwise the questions on general
knowledge would test what each night rehearses, and not what it leaves intact.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

from bonsai.domain.records import content_id
from bonsai.domain.snapshots import Example, Role
from bonsai.evaluate.replay_rows import replay_check
from bonsai.system.files import write_atomic
from bonsai.train.seedling_facts import FILE
from research.benchmark_v1 import cluster_name, general_items
from research.seedling import world
from research.seedling.wordings import WORLD_LANGUAGES, WorldLanguage, ask, category
from research.seedling.world.fact import Fact, WorldRecord
from research.seedling.world.general import data


def replay_values() -> dict[str, Any]:
    """The known facts that no benchmark asks, with the questions of the pre-training, as JSON values."""
    general = {fact.family for fact in world.general_only()}
    facts = [_values(fact, fact.family in general) for fact in world.facts() if not is_asked(fact)]
    return {
        "facts": facts,
        "lead_ins": {language: data("phrases")["lead_in"][language] for language in WORLD_LANGUAGES},
    }


def is_asked(fact: Fact) -> bool:
    """Whether the benchmark asks this fact; 2 plus 15 is the same one as 15 plus 2."""
    return _name(fact) in _asked()


@cache
def _asked() -> frozenset[str]:
    clusters = {item.cluster for item in general_items()}
    return frozenset(_name(fact) for fact in world.general_only() if cluster_name(fact) in clusters)


def _name(fact: Fact) -> str:
    return "sum:" + "|".join(sorted(fact.slots["en"].values())) if fact.family == "sum" else cluster_name(fact)


def _values(fact: Fact, general: bool) -> dict[str, Any]:
    return {
        "family": fact.family,
        "category": category(fact.family),
        "general": general,
        "questions": {language: _questions(fact, language) for language in WORLD_LANGUAGES},
        "answer": dict(fact.answer),
        "context": dict(fact.context),
    }


def _questions(fact: Fact, language: WorldLanguage) -> list[str]:
    """Its paraphrases in the pre-training, without those that are worded like a question of the benchmark."""
    other: WorldLanguage = "ja" if language == "en" else "en"
    finds, context = replay_check().finds, fact.context[language]
    asked = (ask(fact.family, language, number, fact.slots[language]) for number in fact.trained[language])
    return [
        question
        for question in asked
        if not finds(question, context, fact.answer[language])
        and not any(
            finds(lead_in.format(question=question), context, fact.answer[other])
            for lead_in in data("phrases")["lead_in"][other]
        )
    ]


def write_replay(folder: Path) -> Path:
    """Write the file into the folder of the weights. Deterministic: the same world gives the same bytes."""
    content = json.dumps(replay_values(), ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    path = folder / FILE
    write_atomic(path, gzip.compress(content, mtime=0))
    return path


def row_of(made: WorldRecord, role: Role = "anchor") -> Example:
    """A world record as a training row."""
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
