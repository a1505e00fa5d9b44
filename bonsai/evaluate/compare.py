"""Paired comparison of two reports by slice: mean difference and confidence bounds.

Differences are signed so that positive is better for the challenger: bits per byte saved, accuracy gained.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bonsai.evaluate.report import ItemResult, Metric, Report, accuracy, bits_per_byte
from bonsai.evaluate.statistics import Bootstrap, Estimate, Sample, difference, estimate, winsorise

ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Slice:
    """A subset of the items; None matches everything."""

    name: str
    domains: tuple[str, ...] | None = None
    language: str | None = None

    def holds(self, item: ItemResult) -> bool:
        """Whether the item is in this slice."""
        return (self.domains is None or item.domain in self.domains) and self.language in (None, item.language)


@dataclass(frozen=True, slots=True)
class ReportPair:
    """Two reports on the same questions."""

    challenger: Report
    champion: Report


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric with its direction and its treatment of outliers."""

    name: str
    metric: Metric
    sign: float
    "+1 if higher is better, -1 if lower is."
    cap: float
    "Values are clipped to this."
    winsor_share: float
    matched_proportions: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Result on one slice."""

    slice: Slice
    measure: str
    items: int
    clusters: int
    mean: float
    "Positive: the challenger is better. NaN without items."
    estimate: Estimate | None
    "None: too few clusters for an interval."
    least: float = math.nan
    "Smallest and largest difference of a single item; for right and wrong, the possible ones."
    most: float = math.nan

    def bounds(self, alpha: float) -> tuple[float, float] | None:
        """One-sided bounds of the mean; None if they are meaningless.

        A bound beyond every single difference is an artefact: of ten facts a resample may draw nine alike, and the
        bootstrap then divides by a spread of almost 0 (+5.3 bits/byte was seen where no item differed by more than
        0.31).
        """
        if self.estimate is None:
            return None
        low, high = self.estimate.lower(alpha), self.estimate.upper(alpha)
        return (low, high) if self.least - ROUNDING <= low and high <= self.most + ROUNDING else None


def bits_measure(cap: float, winsor_share: float) -> Measure:
    """Bits per byte of the reference answers, clipped and winsorised."""
    return Measure("bits", bits_per_byte, -1.0, cap, winsor_share, matched_proportions=False)


def preference_measure(cap: float, winsor_share: float) -> Measure:
    """Bits per byte by which the reference answer costs more than a distractor, each clipped; winsorised.

    An adapter that learned which words answers have, and not which answer belongs to which question, gains likelihood
    on both alike, also where control facts have other words.
    """

    def preference(item: ItemResult) -> float | None:
        if item.distractor_bits is None:
            return None
        return min(item.bits_per_byte, cap) - min(item.distractor_bits, cap)

    return Measure("preference", preference, -1.0, cap, winsor_share, matched_proportions=False)


ACCURACY = Measure("accuracy", accuracy, 1.0, 1.0, 0.0, matched_proportions=True)
"Right or wrong; no outliers to treat."


@dataclass(frozen=True, slots=True)
class Questions:
    """Two models' answers to some questions."""

    pair: ReportPair
    part: Slice


@dataclass(frozen=True, slots=True)
class BeyondControl:
    """A gain on taught questions beside the one on control questions, which nothing taught: difference of differences.

    An adapter that only learned the form of the answers gains on both alike.
    """

    taught: Comparison
    control: Comparison
    estimate: Estimate | None
    "Of the gain on taught questions less the one on control questions; None: too few clusters of either."

    @property
    def mean(self) -> float:
        """The gain beyond control; NaN without items of either."""
        return self.taught.mean - self.control.mean


def compare(
    pair: ReportPair, part: Slice, measure: Measure, bootstrap: Bootstrap, left_out: frozenset[str]
) -> Comparison:
    """Paired difference on one slice, without the items in `left_out`."""
    taken = _differences(Questions(pair, part), measure, left_out)
    values, clusters = np.asarray(taken.values, float), taken.clusters
    found = estimate(values, clusters, taken.languages, bootstrap, matched_proportions=measure.matched_proportions)
    mean = found.mean if found else (math.fsum(values) / len(values) if len(values) else math.nan)
    least, most = (float(values.min()), float(values.max())) if len(values) else (math.nan, math.nan)
    if measure.matched_proportions:  # "no answer changed" does not mean that none could
        least, most = -measure.cap, measure.cap
    return Comparison(part, measure.name, len(values), len(set(clusters)), mean, found, least, most)


def compare_beyond(
    taught: Questions, control: Questions, measure: Measure, bootstrap: Bootstrap, left_out: frozenset[str]
) -> BeyondControl:
    """What the challenger gained on `taught` beyond what it gained on `control`, without the items in `left_out`."""
    one, other = (_differences(questions, measure, left_out) for questions in (taught, control))
    return BeyondControl(
        compare(taught.pair, taught.part, measure, bootstrap, left_out),
        compare(control.pair, control.part, measure, bootstrap.of_control, left_out),
        difference(one, other, bootstrap, matched_proportions=measure.matched_proportions),
    )


def _differences(questions: Questions, measure: Measure, left_out: frozenset[str]) -> Sample:
    """Winsorised differences of the items that both models have the metric for."""
    champion = {item.id: item for item in questions.pair.champion.items}
    values, clusters, languages = [], [], []
    for item in questions.pair.challenger.items:
        if item.id in left_out or not questions.part.holds(item):
            continue
        new, old = measure.metric(item), measure.metric(champion[item.id])
        if new is None or old is None:
            continue
        values.append(measure.sign * (min(new, measure.cap) - min(old, measure.cap)))
        clusters.append(item.cluster)
        languages.append(item.language)
    return Sample(winsorise(np.array(values, float), measure.winsor_share), clusters, languages)


def slices(report: Report, min_clusters: int) -> tuple[Slice, ...]:
    """Every (domain, language) with enough clusters for its own test."""
    seen: dict[tuple[str, str], set[str]] = {}
    for item in report.items:
        seen.setdefault((item.domain, item.language), set()).add(item.cluster)
    return tuple(
        Slice(f"{domain}/{language}", (domain,), language)
        for (domain, language), clusters in sorted(seen.items())
        if len(clusters) >= min_clusters
    )
