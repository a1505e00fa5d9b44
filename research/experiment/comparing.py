"""Paired differences between two arms by question and seed, with intervals.

Two things vary: the facts asked and the training seed. Clusters of questions are resampled by the benchmark's
bootstrap. Seeds are a level above: all draws with replacement are enumerated, and the interval is read from all
resamples together. Resampling k seeds understates their spread by (k - 1) / k, so their deviations are scaled by the
square root of the inverse. With three seeds this remains rough: it widens intervals where seeds disagree, but does not
replace more seeds.

Multilevel resampling: Davison & Hinkley, *Bootstrap Methods and their Application* (1997), section 3.8.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import factorial, sqrt

import numpy as np
from numpy.typing import NDArray

from bonsai.evaluate.statistics import Bootstrap, Estimate, estimate

ALPHA = 0.025
"Per side: 95 % intervals."
BOOTSTRAP = Bootstrap(resamples=2000, seed=20261121, min_clusters=10, min_stratum_clusters=10)
_MAX_SEEDS = 6
"Beyond this, enumerating all draws would take minutes; they are sampled instead."


@dataclass(frozen=True, slots=True)
class Asked:
    """The items that the columns of a table of differences stand for."""

    clusters: tuple[str, ...]
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A paired difference; positive: the first arm is higher."""

    mean: float
    low: float | None
    "None: too few clusters for an interval."
    high: float | None
    by_seed: tuple[float, ...]
    items: int
    clusters: int


def difference(values: NDArray[np.float64], asked: Asked, *, shares: bool) -> Difference:
    """Mean of `values`, (seeds, items), with its interval. `shares`: differences of yes and no."""

    def over(chosen: Sequence[int]) -> Estimate | None:
        drawn = values[list(chosen)].mean(axis=0)
        return estimate(drawn, asked.clusters, asked.languages, BOOTSTRAP, matched_proportions=shares)

    seeds, items = values.shape
    clusters = len(set(asked.clusters))
    main = over(range(seeds))
    if main is None:
        by_seed = tuple(float(one) for one in values.mean(axis=1))
        return Difference(float(values.mean()), None, None, by_seed, items, clusters)
    stretched = sqrt(seeds / (seeds - 1)) if seeds > 1 else 1.0
    worlds = []
    for chosen, times in draws(seeds):
        found = over(chosen)
        assert found is not None  # the clusters are the same
        centre = main.mean + stretched * (found.mean - main.mean)
        worlds.append(np.repeat(centre - found.studentised * found.standard_error, times))
    low, high = np.quantile(np.concatenate(worlds), (ALPHA, 1 - ALPHA))
    singles = (over((seed,)) for seed in range(seeds))
    return Difference(main.mean, float(low), float(high), tuple(one.mean for one in singles if one), items, clusters)


def draws(seeds: int) -> list[tuple[tuple[int, ...], int]]:
    """Every draw of as many seeds as there are, with replacement, and its multiplicity."""
    if seeds > _MAX_SEEDS:
        rng = np.random.default_rng(BOOTSTRAP.seed)
        return [(tuple(sorted(map(int, rng.integers(seeds, size=seeds)))), 1) for _ in range(100)]
    return [
        (chosen, factorial(seeds) // int(np.prod([factorial(times) for times in Counter(chosen).values()])))
        for chosen in combinations_with_replacement(range(seeds), seeds)
    ]
