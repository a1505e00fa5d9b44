"""Results of the study as values: computed by `tables`, shown by `render` and `plots`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.gate_study.coverage import Coverage
from benchmarks.gate_study.verdicts import Matrix, Share
from benchmarks.gate_study.year import Ledger
from bonsai.gate.decision import Policy


@dataclass(frozen=True, slots=True)
class Minimum:
    """The smallest gain of one claim that counts, fitted on seeds of one recipe; a share or bits per byte."""

    plan: str
    claim: str
    seeds: int
    spread: float
    "Standard deviation of one seed's effect."
    seen: float
    "The empirical quantile of the differences."
    predicted: float
    "The quantile for a further pair of seeds, assuming normal effects: a few seeds do not show the tail."
    default: float
    "The policy's, without a calibration."


@dataclass(frozen=True, slots=True)
class NoProgress:
    """All ordered pairs of seeds of one recipe: neither is truly better."""

    plan: str
    seeds: int
    pairs: int
    reached: int
    "Pairs with a gain that reached its minimum."
    promoted: Share
    "At the level of a home's first night."
    at_alpha: Share
    "At the level of harm, every time."
    bound: float
    "Upper 95 % bound from pairs without a common adapter, if none was promoted."
    bare: Share
    "Share promoted by `new >= old` on right answers."
    a_year: float
    "No-better promotions of a year, these adapters drawn again, each night at the first night's level."
    caught: Counter[str]
    "Rules that refused the pairs with a gain that reached its minimum."
    gains: Matrix
    "Gain in bits/byte on the fixed questions, (seeds, seeds)."
    least: float
    "Its minimum."


@dataclass(frozen=True, slots=True)
class SliceSpread:
    """Difference between two seeds of one recipe on a slice, which the margin must allow."""

    slice: str
    facts: int
    deviation: float
    "Of the gain between two seeds, bits per byte."
    seen: float
    "97.5 % quantile of the absolute differences."
    margin: float
    "Margin of the policy for the slice."


@dataclass(frozen=True, slots=True)
class Detected:
    """One kind of weaker champion, against unscaled adapters of other seeds."""

    champion: str
    gains: Mapping[str, float]
    "By claim, the mean gain of all pairs: what was planted."
    units: Mapping[str, float]
    "The same in minimum gains."
    score: float
    "Mean gain in bits per byte on the score pool, which no rule reads; NaN if it was not asked."
    pairs: int
    promoted: Share
    caught: Counter[str]
    faulty: int
    "Pairs refused by a guard (B) or for forgetting (E): a short training itself loses something."
    tries: int
    "Pairs without a common adapter ..."
    won: int
    "... and how many of them were promoted."

    @property
    def found(self) -> float | None:
        """Promoted share of the pairs whose challenger lost nothing else."""
        sound = self.pairs - self.faulty
        return self.promoted.value * self.pairs / sound if sound else None


@dataclass(frozen=True, slots=True)
class Harmed:
    """One harm, on adapters that would be promoted without it."""

    name: str
    tries: int
    promoted: int
    promoted_over_base: int
    control: int
    "Number of the same adapters without the harm that were promoted over the same champions."
    caught: Counter[str]
    gain: float
    "Mean gain in bits per byte on the selection pool ..."
    confirmed: float
    "... and on the confirmation pool; NaN if it is not finite or was not asked."
    held_back: float
    "Share of its lessons that the contamination check would hold back at intake; NaN if none copies the benchmark."


@dataclass(frozen=True, slots=True)
class OverBase:
    """What one kind of adapter gained over the bare base, and whether the gate promotes it on a home's first night."""

    kind: str
    tries: int
    promoted: int
    taught: Mapping[str, float]
    "By claim, the mean gain on taught questions ..."
    control: Mapping[str, float]
    "... and on control."
    caught: Counter[str]


@dataclass(frozen=True, slots=True)
class Kept:
    """What one kind of adapter keeps of the base's general facts: those that replay holds, and the others."""

    kind: str
    adapters: int
    right: Mapping[bool, float]
    "By whether they are rehearsed: the share of right answers ..."
    kept: Mapping[bool, float]
    "... of the base's right answers, the share that is right still ..."
    bits: Mapping[bool, float]
    "... and the bits per byte saved."
    facts: Mapping[bool, int]


@dataclass(frozen=True)
class Study:
    """All results; what needs runs that are not made yet is empty."""

    policy: Policy
    "With the minima of the short plan."
    minima: Sequence[Minimum]
    no_progress: Sequence[NoProgress]
    slices: Sequence[SliceSpread]
    detected: Sequence[Detected]
    "Gains planted on adapters trained as long as in a night, judged by the shipped minima."
    harmed: Sequence[Harmed]
    form: Sequence[OverBase]
    kept: Sequence[Kept]
    other: Sequence[OverBase]
    "On the second base."
    coverage: Sequence[Coverage]
    years: Mapping[str, Mapping[str, Ledger]]
    "By home and world, then by gate."
    years_from: str
    "Kind of the runs that the years are drawn from."
    progress: Sequence[tuple[str, int, int]]
    "(kind of run, finished, planned)."
