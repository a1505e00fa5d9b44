"""Coverage of the gate's one-sided bounds, simulated from measured differences.

A pair of measured reports is taken as the population of questions, so its true gain is known. Benchmarks of the same
size are resampled from it, facts with all their questions and languages, and the gate's estimator computes its bounds:
of a gain, at the level of harm, and of a gain beyond control, at that level and at the one of a first night. Clusters,
languages and the skew of real differences are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.gate_study.verdicts import Court, first_level
from bonsai.evaluate.compare import ACCURACY, Measure, ReportPair, Slice
from bonsai.evaluate.statistics import Bootstrap, Estimate, Sample, difference, estimate, winsorise

Array = NDArray[np.float64]
WORLDS = 200
RESAMPLES = 500
"Fewer than the gate's 4000 to save time; the bounds change little."


@dataclass(frozen=True, slots=True)
class World:
    """The differences of one pair on one slice."""

    values: Array
    clusters: NDArray[np.str_]
    languages: NDArray[np.str_]

    @property
    def facts(self) -> int:
        """Number of clusters."""
        return len(np.unique(self.clusters))


@dataclass(frozen=True, slots=True)
class Coverage:
    """Coverage of the bounds."""

    slice: str
    measure: str
    level: float
    facts: int
    worlds: int
    skew: float
    "Of the differences."
    lower: float
    "Share of simulations whose lower bound was at most the truth; nominally 1 - level."
    upper: float
    "Share of simulations whose upper bound was at least the truth."


def world_of(pair: ReportPair, part: Slice, measure: Measure) -> World:
    """The measured differences of a slice; positive is better."""
    champion = {item.id: item for item in pair.champion.items}
    rows = []
    for item in pair.challenger.items:
        new, old = measure.metric(item), measure.metric(champion[item.id])
        if part.holds(item) and new is not None and old is not None:
            rows.append((measure.sign * (min(new, measure.cap) - min(old, measure.cap)), item.cluster, item.language))
    values, clusters, languages = zip(*rows, strict=True)
    return World(np.array(values, float), np.array(clusters), np.array(languages))


def truth_of(world: World) -> float:
    """The mean over clusters, languages weighted equally, without winsorising."""
    means = []
    for language in np.unique(world.languages):
        mine = world.languages == language
        means.append(
            np.mean([world.values[mine & (world.clusters == one)].mean() for one in set(world.clusters[mine])])
        )
    return float(np.mean(means))


def redrawn(world: World, rng: np.random.Generator) -> World:
    """A benchmark of as many facts, drawn with replacement; a fact drawn twice counts as two."""
    names = np.unique(world.clusters)
    items = [np.flatnonzero(world.clusters == name) for name in names]
    drawn = rng.integers(len(names), size=len(names))
    at = np.concatenate([items[one] for one in drawn])
    labels = np.concatenate([np.full(len(items[one]), f"{number:04d}") for number, one in enumerate(drawn)])
    return World(world.values[at], labels, world.languages[at])


def covered(world: World, part: str, measure: Measure, bootstrap: Bootstrap, alpha: float, worlds: int) -> Coverage:
    """Resample benchmarks and count the bounds that hold."""
    truth, rng = truth_of(world), np.random.default_rng(len(world.values))
    found = []
    for _ in range(worlds):
        sample = sample_of(redrawn(world, rng), measure)
        matched = measure.matched_proportions
        found.append(estimate(sample.values, sample.clusters, sample.languages, bootstrap, matched_proportions=matched))
    return _counted(found, truth, world, part, measure.name, alpha)


def covered_beyond(
    taught: World, control: World, measure: Measure, bootstrap: Bootstrap, levels: Sequence[float], worlds: int
) -> list[Coverage]:
    """The same for the gain beyond control, at each level."""
    truth, rng = truth_of(taught) - truth_of(control), np.random.default_rng(len(taught.values))
    found = []
    for _ in range(worlds):
        one, other = (sample_of(redrawn(world, rng), measure) for world in (taught, control))
        found.append(difference(one, other, bootstrap, matched_proportions=measure.matched_proportions))
    return [_counted(found, truth, taught, "taught - control", measure.name, level) for level in levels]


def sample_of(world: World, measure: Measure) -> Sample:
    """The differences as the gate's estimator takes them."""
    return Sample(winsorise(world.values, measure.winsor_share), list(world.clusters), list(world.languages))


def _counted(
    found: Sequence[Estimate | None], truth: float, world: World, part: str, measure: str, level: float
) -> Coverage:
    made = [one for one in found if one]
    if not made:
        raise ValueError(f"{part}: {world.facts} facts are too few for an interval")
    lower = float(np.mean([one.lower(level) <= truth for one in made]))
    upper = float(np.mean([one.upper(level) >= truth for one in made]))
    centred = world.values - world.values.mean()
    skew = float((centred**3).mean() / max(centred.std(), 1e-12) ** 3)
    return Coverage(part, measure, level, world.facts, len(made), skew, lower, upper)


def study(court: Court, pairs: Sequence[tuple[str, str]], worlds: int = WORLDS) -> list[Coverage]:
    """Coverage over several pairs, averaged for each slice, measure and level."""
    policy = court.policy
    parts: tuple[Slice, ...] = (Slice("all"), Slice("ja", None, "ja"), Slice("en", None, "en"))
    parts += (Slice("retention", policy.retention_domains), Slice("translation/ja", ("translation",), "ja"))
    bootstrap = replace(policy.slice_bootstrap, resamples=RESAMPLES)
    untamed = replace(policy.bits, name="bits, not winsorised", winsor_share=0.0)
    made = []
    for measure in (policy.bits, untamed, ACCURACY):
        for part in parts:
            each = [
                covered(world_of(court.pair(*pair), part, measure), part.name, measure, bootstrap, policy.alpha, worlds)
                for pair in pairs
            ]
            made.append(_averaged(each))
    taught, control = Slice("taught", policy.taught_domains), Slice("control", policy.control_domains)
    levels = (policy.alpha, first_level(policy))
    for measure in (policy.bits, ACCURACY):
        beyond = [
            covered_beyond(
                *(world_of(court.pair(*pair), part, measure) for part in (taught, control)),
                measure, bootstrap, levels, worlds,
            )
            for pair in pairs
        ]  # fmt: skip
        made += [_averaged(each) for each in zip(*beyond, strict=True)]
    return made


def _averaged(each: Sequence[Coverage]) -> Coverage:
    def mean_of(name: str) -> float:
        return float(np.mean([getattr(one, name) for one in each]))

    return replace(
        each[0],
        worlds=sum(one.worlds for one in each),
        skew=mean_of("skew"),
        lower=mean_of("lower"),
        upper=mean_of("upper"),
    )
