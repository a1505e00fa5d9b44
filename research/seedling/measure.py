"""Measures the seedling's knowledge under the product's settings: NF4, greedy, batched. Needs torch.

Every question is a known fact in a held-out paraphrase. `research seedling build` writes the figures
into the model card; `python -m research seedling measure` shows them again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bonsai.model.bases import SEEDLING, Base
from bonsai.model.hf import load_base
from bonsai.model.prompt import CURRENT, Question, parse
from research.seedling import world
from research.seedling.recipe import normalised
from research.seedling.wordings import WORLD_LANGUAGES
from research.seedling.world.fact import WorldRecord

SAMPLE_SEED = 1
MEASURED_QUESTIONS = 1000
MAX_ANSWER_TOKENS = 96
"In tokens, declared tags included."


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares from 0 to 1 over one group of questions."""

    group: str
    questions: int
    exact: float
    "The answer equals the fact's, in letters and digits."
    right_language: float
    "The declared language is the requested one."
    ended: float
    "The model stopped by itself."


def nf4_base(folder: Path) -> Base:
    """The seedling in `folder`, loaded as in a night and in an evaluation run."""
    return Base(
        name=SEEDLING,
        model=str(folder),
        revision="",
        quantisation="nf4",
        double_quantisation=True,
        compute_dtype="float32",
        max_tokens=512,
        answer_tokens_en=MAX_ANSWER_TOKENS,
        answer_tokens_ja=MAX_ANSWER_TOKENS,
        generation_batch=64,
    )


def sample_of_known(count: int) -> list[WorldRecord]:
    """`count` held-out questions, drawn over all facts."""
    return random.Random(SAMPLE_SEED).sample(world.held_out_records(), count)


def measure(folder: Path, records: Sequence[WorldRecord]) -> list[Figures]:
    """Answers every question once; figures by question language and by family."""
    answerer = load_base(nf4_base(folder), "cpu").answerer(CURRENT)
    questions = [Question(record.instruction, record.context) for record in records]
    generated_answers = answerer.answers(questions, [None] * len(questions))
    judged = []
    for record, generated in zip(records, generated_answers, strict=True):
        said = parse(generated.text)
        exact = normalised(said.response) == normalised(record.output)
        judged.append((record, exact, said.tags.language == record.language, generated.ended))
    groups: list[tuple[str, Callable[[WorldRecord], bool]]] = [
        (language, lambda record, language=language: record.question_language == language)  # type: ignore[misc]
        for language in WORLD_LANGUAGES
    ]
    for family in sorted({record.family for record in records}):
        groups.append((family, lambda record, family=family: record.family == family))  # type: ignore[misc]
    return [_figures(name, [entry for entry in judged if belongs(entry[0])]) for name, belongs in groups]


def _figures(group: str, judged: Sequence[tuple[WorldRecord, bool, bool, bool]]) -> Figures:
    count = len(judged)
    exact, language, ended = (sum(bool(entry[at]) for entry in judged) / count for at in (1, 2, 3))
    return Figures(group, count, exact, language, ended)
