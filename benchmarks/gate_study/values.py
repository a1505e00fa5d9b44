"""What the study found, as values: `tables` makes them of the runs, `render` and `plots` show them."""

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
    """The smallest gain that counts, fitted on seeds of one recipe."""

    seeds: int
    bits: float
    "The quantile for a further pair of seeds, their effects taken as normal: few seeds see no tail of their own."
    seen: float
    "The plain quantile of the differences that were seen."
    spread: float
    "Standard deviation of one seed's effect, bits per byte."


@dataclass(frozen=True, slots=True)
class NoProgress:
    """Every ordered pair of seeds of one recipe: the truth is that neither is better."""

    seeds: int
    pairs: int
    promoted: Share
    bound: float
    "Upper 95 % bound if only pairs without a common adapter counted, and none of them was promoted."
    bare: Share
    "What `new >= old` on right answers promotes."
    a_year: Share
    fresh: float
    gains: Matrix
    caught: Counter[str]
    "Which rules stopped the pairs whose gain reached the minimum."
    reached: int
    smaller: Mapping[float, float]
    "Promoted share had the minimum been smaller, by that minimum."


@dataclass(frozen=True, slots=True)
class SliceSpread:
    """How far two seeds of one recipe lie apart on a slice: what its margin must leave room for."""

    slice: str
    facts: int
    deviation: float
    "Of the gain between two seeds, bits per byte."
    seen: float
    "97.5 % quantile of the differences, whatever their sign."
    margin: float
    "That the policy sets for the slice."


@dataclass(frozen=True, slots=True)
class Detected:
    """One kind of weaker champion, met by whole adapters of other seeds."""

    champion: str
    gain: float
    "Mean gain of all pairs: the size that was planted, bits per byte."
    pairs: int
    promoted: Share
    caught: Counter[str]
    faulty: int
    "Pairs refused by a guard (B) or for forgetting (E): a short training loses something itself, gain or no gain."
    tries: int
    "Pairs without a common adapter ..."
    won: int
    "... and how many of them were promoted."

    @property
    def found(self) -> float:
        """Promoted share of the pairs whose challenger lost nothing else."""
        return self.promoted.value * self.pairs / max(self.pairs - self.faulty, 1)


@dataclass(frozen=True, slots=True)
class Harmed:
    """One harm, on adapters that would be promoted without it."""

    name: str
    tries: int
    promoted: int
    promoted_over_base: int
    control: int
    "Of the same adapters without the harm, how many were promoted over the same champions."
    caught: Counter[str]
    gain: float
    "Mean gain on the selection pool, bits per byte ..."
    confirmed: float
    "... and on the confirmation pool, where it was asked; else NaN."
    held_back: float
    "Share of what it was taught that the leak guard would have kept out at intake; NaN: nothing of it leaks."


@dataclass(frozen=True)
class Study:
    """Everything that is shown."""

    policy: Policy
    minimum: Minimum
    night_minimum: Minimum | None
    "Of the recipe that ships, as long as a night trains."
    all_minimum: Minimum
    "Of all seeds of the short plan together: the best figure for `gate.min_gain_bits`, too late to be tested on them."
    suite_minimum: Minimum | None
    "The same on the owner's suite: `gate.min_suite_gain_bits`."
    no_progress: NoProgress
    slices: Sequence[SliceSpread]
    detected: Sequence[Detected]
    night_detected: Sequence[Detected]
    "Gains planted on adapters trained as long as a night, judged by the minimum that ships."
    harmed: Sequence[Harmed]
    coverage: Sequence[Coverage]
    years: Mapping[str, Ledger]
    "By the name of the gate."
    progress: Sequence[tuple[str, int, int]]
    "Kind of run, how many are there, how many are wanted."
