"""Verdicts of the gate on pairs of runs, and intervals for their shares.

Adapters are the independent units, not pairs: 12 adapters make 132 ordered pairs that share members. Intervals
resample adapters with all their pairs (bootstrap of a U-statistic: Arcones & Giné 1992, "On the bootstrap of U and
V statistics"). If no pair was promoted, which a bootstrap cannot judge, the bound is the exact binomial one
for the number of pairs without a common adapter (Clopper & Pearson 1934).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.gate_study.question_sets import CONFIRMATION, SELECTION, SUITE
from benchmarks.gate_study.runs import Run, base_of, report_of
from bonsai.evaluate.compare import BeyondControl, Questions, ReportPair, Slice, compare_beyond
from bonsai.evaluate.report import Report
from bonsai.evaluate.statistics import Bootstrap
from bonsai.gate import error_budget
from bonsai.gate.calibration import MINIMA
from bonsai.gate.decide import decide
from bonsai.gate.decision import Policy, RuleResult
from bonsai.gate.rules import claims_of, weigh

Matrix = NDArray[np.float64]
NO_CLAIM = "C superiority"
"No gain reached its minimum."


@dataclass(frozen=True, slots=True)
class Finding:
    """The gate's verdict on one pair."""

    challenger: str
    champion: str
    verdict: str
    caught: tuple[str, ...]
    "The rules that did not pass, e.g. `B no_loop/ja`."
    gains: Mapping[str, float]
    "By claim, as rule C reads it; empty if a number is not finite."

    @property
    def promoted(self) -> bool:
        """Whether the challenger is promoted."""
        return self.verdict == "promote"


@dataclass(frozen=True)
class Court:
    """The gate at one level of its claims, applied to the study's runs."""

    runs: Mapping[str, Run]
    policy: Policy
    level: float | None = None
    "Of the claims of progress; None: that of a home's first night."
    _reports: dict[tuple[str, str], Report] = field(default_factory=dict)
    _findings: dict[tuple[str, str], Finding] = field(default_factory=dict)

    def at(self, level: float) -> Court:
        """The same at another level."""
        return Court(self.runs, self.policy, level, self._reports)

    def report(self, key: str, name: str = SELECTION) -> Report:
        """A run's report, cached."""
        if (key, name) not in self._reports:
            self._reports[key, name] = report_of(self.runs[key], name)
        return self._reports[key, name]

    def pair(self, challenger: str, champion: str, name: str = SELECTION) -> ReportPair:
        """Both reports."""
        return ReportPair(self.report(challenger, name), self.report(champion, name))

    def suite(self, challenger: str, champion: str) -> ReportPair | None:
        """Both reports on the personal set, if both were asked."""
        both = (self.runs[key].sheets for key in (challenger, champion))
        return self.pair(challenger, champion, SUITE) if all(SUITE in sheets for sheets in both) else None

    def weighed(self, challenger: str, champion: str, name: str = SELECTION) -> dict[str, BeyondControl]:
        """By claim, the gain and the one on control; means only. Empty if a number is not finite."""
        if any(None in self.runs[key].sheets[name].bits for key in (challenger, champion)):
            return {}
        suite = self.suite(challenger, champion) if name == SELECTION else None
        claims = claims_of(self.pair(challenger, champion, name), suite, self.policy)
        return {claim.name: weigh(claim, self._quick) for claim in claims}

    def likelihood(self, challenger: str, champion: str) -> BeyondControl:
        """The plain gain in likelihood, which claims nothing, beside the one on control; means only."""
        pair, policy = self.pair(challenger, champion), self.policy
        taught, control = (Questions(pair, Slice("", part)) for part in (policy.taught_domains, policy.control_domains))
        return compare_beyond(taught, control, policy.bits, self._quick, frozenset())

    def gains(self, challenger: str, champion: str, name: str = SELECTION) -> dict[str, float]:
        """By claim, the gain as rule C reads it: the smaller of the gain and its excess over control."""
        found = self.weighed(challenger, champion, name)
        return {claim: min(one.taught.mean, one.mean) for claim, one in found.items()}

    def errors(self, challenger: str, champion: str, name: str = SELECTION) -> dict[str, float]:
        """By claim, the standard error over questions of the gain beyond control."""
        suite = self.suite(challenger, champion) if name == SELECTION else None
        claims = claims_of(self.pair(challenger, champion, name), suite, self.policy)
        found = ((claim.name, weigh(claim, self.policy.slice_bootstrap).estimate) for claim in claims)
        return {claim: one.standard_error for claim, one in found if one}

    @property
    def _quick(self) -> Bootstrap:
        return replace(self.policy.bootstrap, resamples=2)

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
            base=self.report(base_of(challenger)),
            confirm=lambda: self._confirming(challenger, champion),
            policy=self.policy,
            suite=self.suite(challenger, champion),
            level=first_level(self.policy) if self.level is None else self.level,
        )
        gains = self.gains(challenger, champion)
        return Finding(challenger, champion, decision.verdict, caught_by(decision.rules), gains)

    def _confirming(self, challenger: str, champion: str) -> ReportPair:
        """What rule F sees; of runs that were not asked the confirmation pool, the worst case: it agrees."""
        asked = all(CONFIRMATION in self.runs[key].sheets for key in (challenger, champion))
        return self.pair(challenger, champion, CONFIRMATION if asked else SELECTION)

    def judge_soon(self, challenger: str, champion: str) -> Finding:
        """Whether `judge` promotes; a hundred times faster if no gain reaches its minimum."""
        gains = self.gains(challenger, champion)
        if gains and not self.reaches(gains):
            return Finding(challenger, champion, "keep", (NO_CLAIM,), gains)
        return self.judge(challenger, champion)

    def reaches(self, gains: Mapping[str, float]) -> bool:
        """Whether a claim's gain is at least its minimum."""
        return any(gain >= smallest(self.policy, claim) for claim, gain in gains.items())

    def table(self, challengers: Sequence[str], champions: Sequence[str]) -> list[list[Finding | None]]:
        """Verdicts by challenger and champion; None if both have the same seed."""
        return [
            [None if self._related(new, old) else self.judge_soon(new, old) for old in champions] for new in challengers
        ]

    def _related(self, one: str, other: str) -> bool:
        return self.runs[one].seed == self.runs[other].seed != 0


def first_level(policy: Policy) -> float:
    """Level of a home's first night, which nothing was earned for."""
    return error_budget.level((), policy.false_promotions)


def smallest(policy: Policy, claim: str) -> float:
    """The policy's minimum gain of a claim."""
    return float(getattr(policy, MINIMA[claim]))


def caught_by(rules: Sequence[RuleResult]) -> tuple[str, ...]:
    """The rules that refuse a promotion, without repeats."""
    return tuple(dict.fromkeys(f"{one.rule} {one.name}" for one in rules if one.outcome in ("fail", "unclear")))


def promoted_matrix(table: Sequence[Sequence[Finding | None]]) -> Matrix:
    """1 promoted, 0 not, NaN no pair: (challengers, champions)."""
    return np.array([[np.nan if one is None else float(one.promoted) for one in row] for row in table], float)


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
