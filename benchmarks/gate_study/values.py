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
    """The smallest gain that counts, fitted on seeds of one recipe."""

    seeds: int
    bits: float
    "The quantile for a further pair of seeds, assuming normal effects: a few seeds do not show the tail."
    seen: float
    "The empirical quantile of the differences."
    spread: float
    "Standard deviation of one seed's effect, bits per byte."


@dataclass(frozen=True, slots=True)
class NoProgress:
    """All ordered pairs of seeds of one recipe: neither is truly better."""

    seeds: int
    pairs: int
    promoted: Share
    bound: float
    "Upper 95 % bound from pairs without a common adapter, if none was promoted."
    bare: Share
    "Share promoted by `new >= old` on right answers."
    a_year: Share
    fresh: float
    gains: Matrix
    caught: Counter[str]
    "Rules that refused the pairs whose gain reached the minimum."
    reached: int
    smaller: Mapping[float, float]
    "Promoted share by smaller minimum."


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
    gain: float
    "Mean gain of all pairs, the planted gain, in bits per byte."
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
    "Number of the same adapters without the harm that were promoted over the same champions."
    caught: Counter[str]
    gain: float
    "Mean gain on the selection pool, bits per byte ..."
    confirmed: float
    "... and on the confirmation pool, if it was used; else NaN."
    held_back: float
    "Share of its lessons that the contamination check would hold back at intake; NaN if none copies the benchmark."


@dataclass(frozen=True)
class Study:
    """All results."""

    policy: Policy
    minimum: Minimum
    night_minimum: Minimum | None
    "For the shipped recipe, trained as long as in a night."
    all_minimum: Minimum
    "From all seeds of the short plan: the best estimate for `gate.min_gain_bits`, but not tested on other seeds."
    suite_minimum: Minimum | None
    "The same on the personal set: `gate.min_suite_gain_bits`."
    no_progress: NoProgress
    slices: Sequence[SliceSpread]
    detected: Sequence[Detected]
    night_detected: Sequence[Detected]
    "Gains planted on adapters trained as long as in a night, judged by the shipped minimum."
    harmed: Sequence[Harmed]
    coverage: Sequence[Coverage]
    years: Mapping[str, Ledger]
    "By the name of the gate."
    progress: Sequence[tuple[str, int, int]]
    "(kind of run, finished, planned)."
