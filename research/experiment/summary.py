"""Table rows of an experiment: means over seeds. Intervals are given with the claims."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np

from bonsai.evaluate.questions import Item
from bonsai.evaluate.scoring import has_right_answer
from research.experiment.plan import BASE, PIPELINE, Design, Measure
from research.experiment.results import Run
from research.experiment.verdicts import POOL, values


@dataclass(frozen=True, slots=True)
class LossRow:
    """Cost of the reference answers for an arm, over the selection pool."""

    arm: str
    seeds: int
    steps: int | None
    response_bytes: int | None
    "Answer bytes trained on."
    loss: float
    "Nats per token of the whole completion, declared tags included."
    bits: float
    "Bits per byte of the answer, tags given."
    bits_with_tags: float
    "Bits per byte of the answer, with the cost of the tags."


@dataclass(frozen=True, slots=True)
class SliceRow:
    """Shares of right answers by domain and language."""

    domain: str
    language: str
    items: int
    accuracy: Mapping[str, float]
    "By arm."


@dataclass(frozen=True, slots=True)
class BehaviourRow:
    """Behaviour of an arm under one way of generating."""

    arm: str
    way: str
    accuracy: float
    "On the selection pool's items with one right answer."
    language_ja: float
    language_en: float
    language_asked: float
    "On questions that ask for the other language."
    no_loop: float
    ended: float
    length: float
    "UTF-8 bytes per answer."
    en_ja: float | None
    "Right translations, pool and added ones; None for ways that only the pool is asked in."
    ja_en: float | None
    chinese: Mapping[str, float] | None
    "Languages of the answers to Chinese questions."


def arms_of(design: Design, runs: Mapping[str, Run]) -> dict[str, list[Run]]:
    """Runs by arm in the design's order; bare bases first, named `base/alpaca` ..."""
    bases = {key: [run] for key, run in runs.items() if key.startswith(f"{BASE}/")}
    trained = {arm.name: [run for run in runs.values() if run.arm == arm.name] for arm in design.arms}
    return {**bases, **{name: found for name, found in trained.items() if found}}


def loss_rows(design: Design, runs: Mapping[str, Run], items: Sequence[Item]) -> tuple[LossRow, ...]:
    """One row per arm."""
    pool = _indices(items, lambda item: item.pool == POOL)
    return tuple(
        LossRow(
            arm=name,
            seeds=len(found),
            steps=round(found[0].training["steps"]) if found[0].seed else None,
            response_bytes=round(_mean(run.training["response_bytes"] for run in found)) if found[0].seed else None,
            loss=-_of("loss", found, pool),
            bits=-_of("bits", found, pool),
            bits_with_tags=-_of("bits_with_tags", found, pool),
        )
        for name, found in arms_of(design, runs).items()
    )


def slice_rows(design: Design, runs: Mapping[str, Run], items: Sequence[Item]) -> tuple[SliceRow, ...]:
    """Accuracy of every domain and language of the pool."""
    graded = [item for item in items if item.pool == POOL and has_right_answer(item)]
    parts = sorted({(item.domain, item.language) for item in graded})
    return tuple(_slice(arms_of(design, runs), part, items) for part in parts)


def _slice(arms: Mapping[str, Sequence[Run]], part: tuple[str, str], items: Sequence[Item]) -> SliceRow:
    def inside(item: Item) -> bool:
        return item.pool == POOL and (item.domain, item.language) == part and has_right_answer(item)

    chosen = _indices(items, inside)
    return SliceRow(*part, len(chosen), {name: _of("accuracy", found, chosen) for name, found in arms.items()})


def behaviour_rows(design: Design, runs: Mapping[str, Run], items: Sequence[Item]) -> tuple[BehaviourRow, ...]:
    """One row per arm and way of generating."""
    return tuple(
        _behaviour(name, way, found, items) for name, found in arms_of(design, runs).items() for way in found[0].answers
    )


def _behaviour(name: str, way: str, found: Sequence[Run], items: Sequence[Item]) -> BehaviourRow:
    def share(measure: Measure, keep: Callable[[Item], bool]) -> float:
        return _of(measure, found, _indices(items, keep), way)

    def translated(language: str) -> float | None:
        if way != PIPELINE:
            return None
        return share("accuracy", lambda item: item.category == "translation" and item.language == language)

    def pool(item: Item) -> bool:
        return item.pool == POOL

    return BehaviourRow(
        arm=name,
        way=way,
        accuracy=share("accuracy", lambda item: pool(item) and has_right_answer(item)),
        language_ja=share("language", lambda item: pool(item) and item.language == "ja"),
        language_en=share("language", lambda item: pool(item) and item.language == "en"),
        language_asked=share("language", lambda item: item.domain == "language"),
        no_loop=share("no_loop", pool),
        ended=share("ended", pool),
        length=share("length", pool),
        en_ja=translated("ja"),
        ja_en=translated("en"),
        chinese=_spoken(found, _indices(items, lambda item: item.language == "zh")) if way == PIPELINE else None,
    )


def _spoken(found: Sequence[Run], chosen: Sequence[int]) -> dict[str, float]:
    said = "".join(run.answers[PIPELINE].spoken[i] for run in found for i in chosen)
    named = {"zh": "z", "ja": "j", "en": "e"}
    return {name: said.count(letter) / max(len(said), 1) for name, letter in named.items()}


def _indices(items: Sequence[Item], keep: Callable[[Item], bool]) -> list[int]:
    return [number for number, item in enumerate(items) if keep(item)]


def _of(measure: Measure, found: Sequence[Run], chosen: Sequence[int], way: str = PIPELINE) -> float:
    """Mean over seeds and items."""
    return float(np.mean([values(measure, run, None, chosen, way) for run in found])) if chosen else float("nan")


def _mean(numbers: Iterable[float]) -> float:
    listed = list(numbers)
    return fsum(listed) / len(listed)
