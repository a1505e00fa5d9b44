"""Power analysis: the minimum detectable effect of the benchmark.

Estimated from the spread of two models' paired differences by cluster. A gain is detected if its lower bound at the
gate's level is above 0; the minimum detectable effect is detected in `power` (80 %) of such nights. With t the
studentised bootstrap distribution and s the standard error it is `s * (t[1 - alpha] - t[1 - power])`: the textbook's
`s * (1.64 + 0.84)` for normal t, and never less than that, because two models that differ in every answer show a skew
that a small gain would not have. Source: Cohen, *Statistical Power Analysis* (1988), chapter 2; for evaluations Card et
al., "With Little Power Comes Great Responsibility", https://arxiv.org/abs/2010.06595.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from bonsai.evaluate.compare import Comparison, Measure, ReportPair, Slice, compare
from bonsai.evaluate.statistics import Bootstrap, Estimate


@dataclass(frozen=True, slots=True)
class DetectableEffect:
    """Minimum detectable effect of one slice in one measure."""

    slice: str
    measure: str
    "`bits` (bits/byte of the reference answers) or `accuracy` (share of right answers)."
    items: int
    clusters: int
    standard_error: float | None
    "Of the mean difference; None with too few facts."
    smallest_gain: float | None
    "The minimum detectable effect."


def detectable_effects(
    pair: ReportPair,
    parts: Sequence[Slice],
    measures: Sequence[Measure],
    bootstrap: Bootstrap,
    *,
    alpha: float,
    power: float,
    left_out: frozenset[str] = frozenset(),
) -> tuple[DetectableEffect, ...]:
    """All slices in all measures; slices without items are left out."""
    found = (compare(pair, part, measure, bootstrap, left_out) for part in parts for measure in measures)
    return tuple(_detectable_effect(one, alpha, power) for one in found if one.items)


def _detectable_effect(found: Comparison, alpha: float, power: float) -> DetectableEffect:
    made = found.estimate
    return DetectableEffect(
        slice=found.slice.name,
        measure=found.measure,
        items=found.items,
        clusters=found.clusters,
        standard_error=made.standard_error if made else None,
        smallest_gain=smallest_gain(made, alpha, power) if made else None,
    )


def smallest_gain(found: Estimate, alpha: float, power: float, at_least: float = 0.0) -> float:
    """The true gain that is detected with probability `power`: shown above 0, and measured as at least `at_least`."""
    normal = NormalDist()
    needed = max(found.quantile(1 - alpha), normal.inv_cdf(1 - alpha))
    luck = max(-found.quantile(1 - power), normal.inv_cdf(power))
    return max(needed * found.standard_error, at_least) + luck * found.standard_error


def clusters_needed(clusters: int, smallest: float, effect: float) -> int:
    """Number of facts needed to detect `effect`: the standard error falls with the square root of their number."""
    return math.ceil(clusters * (smallest / effect) ** 2)
