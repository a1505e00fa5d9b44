"""Verdicts of the gate on pairs of runs, and intervals for their shares.

Adapters are the independent units, not pairs: 40 adapters make 1,560 ordered pairs that share members. Intervals
resample adapters with all their pairs (bootstrap of a U-statistic: Arcones & Giné 1992, "On the bootstrap of U and
V statistics"). If no pair was promoted, which a bootstrap cannot judge, the bound is the exact binomial one
for the number of pairs without a common adapter (Clopper & Pearson 1934).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.gate_study.runs import BASE, Run, report_of
from bonsai.evaluate.compare import ReportPair, compare
from bonsai.evaluate.questions import Item
from bonsai.evaluate.report import Report
from bonsai.evaluate.statistics import Bootstrap
from bonsai.gate.calibration import QUANTILE
from bonsai.gate.decide import decide
from bonsai.gate.decision import Policy, RuleResult
from bonsai.gate.rules import ALL, Claim, claims_of, weigh

Matrix = NDArray[np.float64]
SELECTION, CONFIRMATION, SUITE = "selection", "confirmation", "suite"
NO_CLAIM = "C bits_fixed"


class ConfirmationMissing(Exception):
    """The gate opened the confirmation pool, and this run lacks it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The gate's verdict on one pair."""

    challenger: str
    champion: str
    verdict: str
    caught: tuple[str, ...]
    "The rules that did not pass, e.g. `B no_loop/ja`."
    gain: float
    "Bits per byte saved on the selection pool; may be NaN."

    @property
    def promoted(self) -> bool:
        """Whether the challenger is promoted."""
        return self.verdict == "promote"


@dataclass
class Court:
    """The gate, applied to the study's runs."""

    runs: Mapping[str, Run]
    policy: Policy
    suite: Sequence[Item] = ()
    "Questions of the personal set, for runs that have them."
    _reports: dict[tuple[str, str], Report] = field(default_factory=dict)
    _findings: dict[tuple[str, str], Finding] = field(default_factory=dict)

    def report(self, key: str, pool: str = SELECTION) -> Report:
        """A run's report, cached."""
        if (key, pool) not in self._reports:
            if pool not in self.runs[key].sheets:
                raise ConfirmationMissing(key)
            self._reports[key, pool] = report_of(self.runs[key], pool, self.suite if pool == SUITE else None)
        return self._reports[key, pool]

    def pair(self, challenger: str, champion: str, pool: str = SELECTION) -> ReportPair:
        """Both reports."""
        return ReportPair(self.report(challenger, pool), self.report(champion, pool))

    def claim(self, challenger: str, champion: str, pool: str = SELECTION) -> Claim:
        """The gate's claim in bits/byte on a pool of fixed questions."""
        return claims_of(self.pair(challenger, champion, pool), None, self.policy)[-1]

    def gain(self, challenger: str, champion: str, pool: str = SELECTION) -> float:
        """The gate's statistic: bits per byte saved beyond control, languages weighted equally; without an interval.

        On the personal set without control, which its runs were not asked.
        """
        if any(None in self.runs[key].sheets[pool].bits for key in (challenger, champion)):
            return float("nan")
        if pool == SUITE:
            return compare(self.pair(challenger, champion, pool), ALL, self.policy.bits, self._quick, frozenset()).mean
        return weigh(self.claim(challenger, champion, pool), self._quick).mean

    @property
    def _quick(self) -> Bootstrap:
        return replace(self.policy.bootstrap, resamples=2)

    def error(self, challenger: str, champion: str, pool: str) -> float:
        """Standard error of a gain over questions."""
        found = weigh(self.claim(challenger, champion, pool), self.policy.slice_bootstrap)
        return found.estimate.standard_error if found.estimate else float("nan")

    def judge(self, challenger: str, champion: str) -> Finding:
        """The verdict by all rules, cached per pair."""
        pair = (challenger, champion)
        if pair not in self._findings:
            self._findings[pair] = self._judged(*pair)
        return self._findings[pair]

    def _judged(self, challenger: str, champion: str) -> Finding:
        decision = decide(
            self.report(challenger),
            self.report(champion),
            base=self.report(BASE),
            confirm=lambda: self.pair(challenger, champion, CONFIRMATION),
            policy=self.policy,
        )
        return Finding(
            challenger, champion, decision.verdict, caught_by(decision.rules), self.gain(challenger, champion)
        )

    def judge_soon(self, challenger: str, champion: str) -> Finding:
        """Whether `judge` promotes; a hundred times faster if no gain reaches its minimum."""
        claims = claims_of(self.pair(challenger, champion), None, self.policy)
        if all(weigh(claim, self._quick).mean < claim.smallest for claim in claims):
            return Finding(challenger, champion, "keep", (NO_CLAIM,), self.gain(challenger, champion))
        return self.judge(challenger, champion)

    def table(self, challengers: Sequence[str], champions: Sequence[str]) -> list[list[Finding | None]]:
        """Verdicts by challenger and champion; None if both have the same seed."""
        return [
            [None if self._related(new, old) else self.judge_soon(new, old) for old in champions] for new in challengers
        ]

    def _related(self, one: str, other: str) -> bool:
        return self.runs[one].seed == self.runs[other].seed != 0


def caught_by(rules: Sequence[RuleResult]) -> tuple[str, ...]:
    """The rules that refuse a promotion, without repeats."""
    return tuple(dict.fromkeys(f"{one.rule} {one.name}" for one in rules if one.outcome in ("fail", "unclear")))


def promoted_matrix(table: Sequence[Sequence[Finding | None]]) -> Matrix:
    """1 promoted, 0 not, NaN no pair: (challengers, champions)."""
    return np.array([[np.nan if one is None else float(one.promoted) for one in row] for row in table], float)


def gain_matrix(table: Sequence[Sequence[Finding | None]]) -> Matrix:
    """Gains on the selection pool: (challengers, champions)."""
    return np.array([[np.nan if one is None else one.gain for one in row] for row in table], float)


def gains_between(court: Court, keys: Sequence[str], pool: str = SELECTION) -> Matrix:
    """The gate's statistic for every ordered pair, (keys, keys); NaN on the diagonal."""
    made = np.full((len(keys), len(keys)), np.nan)
    for i, new in enumerate(keys):
        for j, old in enumerate(keys):
            if i != j:
                made[i, j] = court.gain(new, old, pool)
    return made


def minimum(gains: Matrix) -> float:
    """The 97.5 % quantile of the measured absolute differences between seeds."""
    return float(np.nanquantile(np.abs(gains), QUANTILE))


@dataclass(frozen=True, slots=True)
class Share:
    """A figure with its interval over adapters."""

    value: float
    low: float
    high: float
    "Two-sided 95 %."


def adapter_interval(matrix: Matrix, statistic: Callable[[Matrix], float], seed: int = 1, draws: int = 2000) -> Share:
    """A statistic of a square matrix of pairs, bootstrapped over adapters; an adapter and itself are no pair."""
    rng, count = np.random.default_rng(seed), len(matrix)
    found = []
    for _ in range(draws):
        drawn = rng.integers(count, size=count)
        found.append(statistic(matrix[np.ix_(drawn, drawn)]))
    low, high = np.nanquantile(found, (0.025, 0.975))
    return Share(statistic(matrix), float(low), float(high))


def share_of(matrix: Matrix) -> float:
    """Promoted share of the pairs."""
    return float(np.nanmean(matrix)) if np.isfinite(matrix).any() else float("nan")


def disjoint_bound(adapters: int, level: float = 0.95) -> float:
    """Upper bound of the promoted share if no pair without a common adapter was promoted."""
    return float(1 - (1 - level) ** (1 / max(adapters // 2, 1)))


def clopper_pearson(hits: int, tries: int, level: float = 0.95) -> Share:
    """The exact interval of a binomial share."""
    from scipy.stats import beta

    tail = (1 - level) / 2
    low = float(beta.ppf(tail, hits, tries - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, tries - hits)) if hits < tries else 1.0
    return Share(hits / tries, low, high)
