"""Judges a design's claims by its runs: shown, reversed, or not shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bonsai.evaluate.questions import Item
from bonsai.evaluate.scoring import has_right_answer
from research.experiment.comparing import Asked, Difference, difference
from research.experiment.plan import BASE, PIPELINE, Claim, Design, Measure
from research.experiment.results import Run

Verdict = Literal["holds", "reversed", "not_shown", "too_few"]
COSTS: dict[Measure, str] = {"loss": "loss", "bits": "response", "bits_with_tags": "with_tags"}
"Lower is better."
FLAGGED: dict[Measure, str] = {"accuracy": "correct", "language": "language_ok", "ended": "ended"}
SHARES: frozenset[Measure] = frozenset({"accuracy", "language", "no_loop", "ended", "spoken_zh"})
POOL = "selection"
FEWEST_SEEDS = 2


@dataclass(frozen=True, slots=True)
class Judged:
    """One judged claim."""

    claim: Claim
    difference: Difference | None
    "None: an arm is missing. Positive: as claimed."
    verdict: Verdict
    seeds: tuple[int, ...]
    "Seeds for which both arms are present."


def judge(design: Design, runs: Mapping[str, Run], items: Sequence[Item]) -> tuple[Judged, ...]:
    """Every claim. Runs on other questions than `items` must already be excluded."""
    return tuple(_judged(claim, design, runs, items) for claim in design.claims)


def _judged(claim: Claim, design: Design, runs: Mapping[str, Run], items: Sequence[Item]) -> Judged:
    pairs = [pair for seed in seeds_of(runs) if (pair := _pair(claim, runs, seed))]
    chosen = [i for i, item in enumerate(items) if holds(claim, item)]
    if not pairs or not chosen:
        return Judged(claim, None, "too_few", ())
    bases = {arm.name: runs.get(f"{BASE}/{arm.template}") for arm in design.arms}
    rows = [_differences(claim, pair, bases, chosen) for pair in pairs]
    if any(row is None for row in rows):
        return Judged(claim, None, "too_few", ())
    asked = Asked(tuple(items[i].cluster for i in chosen), tuple(items[i].language for i in chosen))
    found = difference(np.array(rows, float), asked, shares=claim.measure in SHARES)
    return Judged(claim, found, verdict_of(found), tuple(first.seed for first, _ in pairs))


def seeds_of(runs: Mapping[str, Run]) -> tuple[int, ...]:
    """Every seed with a training."""
    return tuple(sorted({run.seed for run in runs.values() if run.seed}))


def holds(claim: Claim, item: Item) -> bool:
    """Whether the claim is about this item."""
    inside = item.pool == POOL if claim.domains is None else item.domain in claim.domains
    graded = claim.measure != "accuracy" or has_right_answer(item)
    return inside and graded and claim.language in (None, item.language)


def verdict_of(found: Difference) -> Verdict:
    """Decided by the whole interval; a single seed shows nothing about others."""
    if found.low is None or found.high is None or len(found.by_seed) < FEWEST_SEEDS:
        return "too_few"
    return "holds" if found.low > 0 else "reversed" if found.high < 0 else "not_shown"


def _pair(claim: Claim, runs: Mapping[str, Run], seed: int) -> tuple[Run, Run] | None:
    first, second = (runs.get(f"{side.partition('@')[0]}/{seed}") for side in (claim.first, claim.second))
    return (first, second) if first and second else None


def _differences(
    claim: Claim, pair: tuple[Run, Run], bases: Mapping[str, Run | None], chosen: Sequence[int]
) -> NDArray[np.float64] | None:
    sides = []
    for run, said in zip(pair, (claim.first, claim.second), strict=True):
        arm, _, way = said.partition("@")
        base = bases[arm]
        if (claim.measure == "fall" and base is None) or (way or PIPELINE) not in run.answers:
            return None
        sides.append(values(claim.measure, run, base, chosen, way or PIPELINE))
    return np.asarray(np.round(sides[0] - sides[1], 6), float)  # costs are stored in thousandths


def values(
    measure: Measure, run: Run, base: Run | None, chosen: Sequence[int], way: str = PIPELINE
) -> NDArray[np.float64]:
    """One value per item, higher is better; costs are negated."""
    if measure in COSTS:
        return -_column(run, COSTS[measure], chosen)
    if measure == "fall":
        assert base is not None
        return _column(base, "response", chosen) - _column(run, "response", chosen)
    said = run.answers[way]
    if measure == "length":
        return np.array([said.lengths[i] for i in chosen], float)
    if measure == "spoken_zh":
        return np.array([said.spoken[i] == "z" for i in chosen], float)
    if measure == "no_loop":
        return np.array([not said.flag(i, "looping") for i in chosen], float)
    return np.array([said.flag(i, FLAGGED[measure]) for i in chosen], float)


def _column(run: Run, name: str, chosen: Sequence[int]) -> NDArray[np.float64]:
    column: tuple[int, ...] = getattr(run.costs, name)
    return np.array([column[i] for i in chosen], float) / 1000
