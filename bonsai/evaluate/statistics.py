"""Inference from paired differences on related questions.

Questions about one fact (its paraphrases, its two languages) are not independent, so whole *clusters* are resampled,
never single items; and Japanese and English have equal weight, however many questions each has. The interval is the
studentised ("percentile-t") cluster bootstrap, seeded: it keeps its coverage with few and skewed clusters, where a
plain percentile interval is too narrow. Of 4,000 resamples only ten lie beyond the level 0.0025; bounds at smaller
levels go on from there in the proportion of Student's t.

Sources: Davison & Hinkley, *Bootstrap Methods and their Application* (1997), section 5.2 (studentised);
Cameron, Gelbach & Miller, "Bootstrap-based improvements for inference with clustered errors" (2008), whole
clusters; Miller, "Adding error bars to evals", https://arxiv.org/abs/2411.00640, clustered questions and paired
differences; Efron & Tibshirani, *An Introduction to the Bootstrap* (1993), section 8.3, two independent samples; Welch
(1947) and Satterthwaite (1946), their degrees of freedom; Agresti & Min, "Simple improved confidence intervals for
comparing matched proportions" (2005), the pseudo-observations; Holm (1979); winsorising after Tukey (1962); Clopper &
Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial" (1934).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
RESOLVED = 10
"Resamples that must lie beyond a quantile for it to be read off; one further out is extrapolated."


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Parameters of the bootstrap."""

    resamples: int
    seed: int
    min_clusters: int
    "With fewer there is no interval: no number is better than a wrong one."
    min_stratum_clusters: int
    "A language with fewer clusters is pooled with the rest instead of weighted separately."
    min_control_clusters: int | None = None
    "`min_clusters` of what a difference is taken from; None: the same."

    @property
    def of_control(self) -> Bootstrap:
        """The bootstrap of what a difference is taken from."""
        needed = self.min_clusters if self.min_control_clusters is None else self.min_control_clusters
        return replace(self, min_clusters=needed)


@dataclass(frozen=True, slots=True)
class Sample:
    """Differences of single items; the three sequences run over the items."""

    values: Sequence[float] | Array
    clusters: Sequence[str]
    languages: Sequence[str]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean difference with its bootstrap distribution."""

    mean: float
    standard_error: float
    clusters: int
    studentised: Array
    "Sorted t of every resample, (resamples,)."
    degrees: float
    "Degrees of freedom of the standard error: clusters - 1 for one sample."

    def lower(self, alpha: float) -> float:
        """One-sided lower bound at level `alpha`."""
        return self.mean - self.quantile(1 - alpha) * self.standard_error

    def upper(self, alpha: float) -> float:
        """One-sided upper bound at level `alpha`."""
        return self.mean - self.quantile(alpha) * self.standard_error

    def quantile(self, share: float) -> float:
        """Quantile of t. Beyond what the resamples resolve, the last that they do, scaled as Student's t grows."""
        tail, finest = min(share, 1 - share), RESOLVED / self.studentised.size
        if tail > finest or np.isclose(tail, finest):
            return float(np.quantile(self.studentised, share))
        from scipy.special import stdtrit  # the quantile function of Student's t

        known = float(np.quantile(self.studentised, finest if share < 0.5 else 1 - finest))
        return known * float(stdtrit(self.degrees, tail) / stdtrit(self.degrees, finest))

    def p_above(self, value: float = 0.0) -> float:
        """One-sided p for H0 "the true mean is at most `value`"."""
        return self._tail(self.studentised >= self._t(value))

    def p_below(self, value: float = 0.0) -> float:
        """One-sided p for H0 "the true mean is at least `value`"."""
        return self._tail(self.studentised <= self._t(value))

    def _t(self, value: float) -> float:
        distance = self.mean - value
        if self.standard_error > 0:
            return distance / self.standard_error
        return float(np.sign(distance)) * np.inf if distance else 0.0

    @staticmethod
    def _tail(beyond: NDArray[np.bool_]) -> float:
        """Never 0, which would claim more than the number of resamples can show."""
        return float((1 + beyond.sum()) / (1 + beyond.size))


def winsorise(values: Array, share: float) -> Array:
    """Clip the outermost `share` of each tail to its quantile, so that no single item decides."""
    if values.size == 0 or share == 0:
        return values
    low, high = np.quantile(values, (share, 1 - share))
    return np.clip(values, low, high)


def estimate(
    values: Sequence[float] | Array,
    clusters: Sequence[str],
    languages: Sequence[str],
    bootstrap: Bootstrap,
    *,
    matched_proportions: bool = False,
) -> Estimate | None:
    """Mean of item values (clusters first, languages weighted equally) with its bootstrap; None: too few clusters.

    `values`, `clusters` and `languages` run over the items. `matched_proportions` is for differences of right and wrong
    (-1, 0, 1): two pseudo-clusters, one better and one worse, are added to the *spread*, since "no item changed" would
    otherwise claim certainty; the mean stays the observed one. The result depends, to the last bit, neither on the
    order of the items nor on the names of the clusters.
    """
    drawn = _resampled(Sample(values, clusters, languages), bootstrap, matched_proportions, stream=0)
    if drawn is None:
        return None
    studentised = _studentised(drawn.shifts, drawn.errors)
    return Estimate(drawn.mean, drawn.standard_error, drawn.clusters, studentised, drawn.clusters - 1)


def difference(
    taught: Sample, control: Sample, bootstrap: Bootstrap, *, matched_proportions: bool = False
) -> Estimate | None:
    """The mean of `taught` less that of `control`, two independent sets of clusters; None if either has too few.

    Each set is resampled by itself, with `estimate`'s weights; the standard error of a resample is the root of the sum
    of both squared errors. `clusters` of the result are those of `taught`.
    """
    one = _resampled(taught, bootstrap, matched_proportions, stream=0)
    other = _resampled(control, bootstrap.of_control, matched_proportions, stream=1)
    if one is None or other is None:
        return None
    studentised = _studentised(one.shifts - other.shifts, np.hypot(one.errors, other.errors))
    error = float(np.hypot(one.standard_error, other.standard_error))
    return Estimate(one.mean - other.mean, error, one.clusters, studentised, _welch(one, other))


@dataclass(frozen=True, slots=True)
class _Resampled:
    """A mean and its resamples, not yet studentised."""

    mean: float
    standard_error: float
    clusters: int
    shifts: Array
    "Mean of each resample less the mean of what was resampled, (resamples,)."
    errors: Array
    "Standard error of each resample, (resamples,)."


def _resampled(sample: Sample, bootstrap: Bootstrap, matched_proportions: bool, *, stream: int) -> _Resampled | None:
    """`stream` numbers the independent samples of one result, so that each has draws of its own."""
    facts = len(set(sample.clusters))
    if facts < bootstrap.min_clusters:
        return None
    table = _cluster_means(sample.values, sample.clusters, sample.languages, bootstrap.min_stratum_clusters)
    mean = float(np.nanmean(table, axis=0).mean())  # the table is (clusters, strata)
    if matched_proportions:
        table = np.vstack([table, np.ones(table.shape[1]), -np.ones(table.shape[1])])
    rng = np.random.default_rng([bootstrap.seed, stream] if stream else bootstrap.seed)
    draws = _draws(rng, bootstrap.resamples, len(table))
    _, spread = _weighted(table, np.ones((1, len(table))))
    centre = float(np.nanmean(table, axis=0).mean())
    means, spreads = _weighted(table, draws)
    return _Resampled(mean, float(spread[0]), facts, means - centre, spreads)


def _studentised(shifts: Array, errors: Array) -> Array:
    """Sorted t of the resamples; those that drew no cluster of a language have none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(errors > 0, shifts / errors, 0.0)
    return np.sort(found[np.isfinite(shifts) & np.isfinite(found)])


def _welch(one: _Resampled, other: _Resampled) -> float:
    """Welch-Satterthwaite degrees of freedom of the difference of two means."""
    squares = [(drawn.standard_error**2, drawn.clusters - 1) for drawn in (one, other)]
    parts = sum(square**2 / degrees for square, degrees in squares)
    return sum(square for square, _ in squares) ** 2 / parts if parts else float(min(d for _, d in squares))


def _draws(rng: np.random.Generator, resamples: int, clusters: int) -> Array:
    """Draw counts, (resamples, clusters); ten times faster than `rng.multinomial`."""
    drawn = rng.integers(clusters, size=(resamples, clusters)) + clusters * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * clusters).reshape(resamples, clusters).astype(np.float64)


def _cluster_means(
    values: Sequence[float] | Array, clusters: Sequence[str], languages: Sequence[str], smallest: int
) -> Array:
    """Mean of each cluster in each language, (clusters, strata); NaN where a cluster lacks the language.

    Sums run from the smallest value on and rows are sorted by content, so that the table, and every draw of the
    bootstrap, depends on the differences alone.
    """
    names, rows = np.unique(np.asarray(clusters), return_inverse=True)
    strata = _strata(clusters, languages, smallest)
    given = np.asarray(values, float)
    order = np.argsort(given, kind="stable")
    count = int(strata.max()) + 1
    flat = (rows * count + strata)[order]
    totals = np.bincount(flat, weights=given[order], minlength=len(names) * count)
    items = np.bincount(flat, minlength=len(names) * count)
    with np.errstate(invalid="ignore"):
        table = (totals / items).reshape(len(names), count)
    return np.asarray(table[np.lexsort(table.T)], float)


def _strata(clusters: Sequence[str], languages: Sequence[str], smallest: int) -> NDArray[np.int64]:
    """One stratum per language; a single one if any is too small (three English items must not weigh a half)."""
    names = sorted(set(languages))
    sizes = [len({c for c, language in zip(clusters, languages, strict=True) if language == name}) for name in names]
    if min(sizes) < smallest:
        return np.zeros(len(languages), np.int64)
    return np.array([names.index(language) for language in languages], np.int64)


def _weighted(table: Array, weights: Array) -> tuple[Array, Array]:
    """Mean and standard error of every resample.

    table: (clusters, strata) with NaN; weights: (resamples, clusters), draw counts. The error is the linearised one of
    a mean of ratio means: each cluster's influence, squared and summed.
    """
    present = ~np.isnan(table)
    filled = np.where(present, table, 0.0)
    strata = table.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        sizes = weights @ present.astype(np.float64)  # (resamples, strata)
        means = (weights @ filled) / sizes
        influence = np.zeros((len(weights), len(table)))
        for s in range(strata):
            influence += present[:, s] * (filled[:, s] - means[:, s, None]) / sizes[:, s, None] / strata
    drawn = len(table)
    variance = (weights * influence**2).sum(axis=1) * drawn / max(drawn - 1, 1)
    return means.mean(axis=1), np.sqrt(variance)


def holm(p_values: Sequence[float], alpha: float) -> list[bool]:
    """Hypotheses rejected by Holm's step-down procedure at family level `alpha`; in the given order."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    rejected = [False] * len(p_values)
    for rank, i in enumerate(order):
        if p_values[i] > alpha / (len(order) - rank):
            break
        rejected[i] = True
    return rejected


def exact_interval(hits: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Clopper-Pearson interval of a proportion; (0, 1) without trials.

    It excludes one half exactly if the two-sided sign test at 1 - `level` rejects equality.
    """
    from scipy.special import betaincinv  # the quantile function of the beta distribution

    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else float(betaincinv(hits, trials - hits + 1, tail))
    high = 1.0 if hits == trials else float(betaincinv(hits + 1, trials - hits, 1 - tail))
    return low, high
