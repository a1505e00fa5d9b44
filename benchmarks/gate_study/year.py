"""A simulated year of 365 nights from measured adapters: promotions of a gate, their shown and their true gains.

In the first kind of year no night brings progress: every challenger is another seed of the champion's recipe
(`expected_promotions`, exact for the measured adapters; `fresh_year`, for new adapters). In the second the
owner adds records at times, some nights lose something or harm the model, and all others bring nothing
(`grown_year`). The true value of a kind of adapter is its mean over many seeds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.gate_study.runs import BASE
from benchmarks.gate_study.verdicts import SELECTION, Court, Matrix
from bonsai.evaluate.report import accuracy, mean

NIGHTS = 365
WORSE_NIGHTS = 0.10
"Share of nights whose records fall back a level: deleted, retagged, truncated."
HARMED_NIGHTS = 0.03
Gate = Callable[[str, str], bool]
"(challenger, champion) -> promote?"


def expected_promotions(promoted: Matrix, nights: int = NIGHTS) -> float:
    """Promotions of a year in which every challenger is drawn from the same adapters, champions included.

    An exact Markov chain over the champion. NaN marks an adapter and itself, which never promotes.
    """
    count = len(promoted)
    moves = np.nan_to_num(promoted).T / count  # (champion, challenger)
    leaves = moves.sum(axis=1)
    chain = moves + np.diag(1 - leaves)
    champion, total = np.full(count, 1 / count), 0.0
    for _ in range(nights):
        total += float(champion @ leaves)
        champion = champion @ chain
    return total


def fresh_year(
    selection: Matrix, confirmation: Matrix, errors: tuple[float, float], least: float, years: int = 4000
) -> float:
    """Expected promotions of a year in which every challenger is a new adapter.

    selection, confirmation: measured gains of every pair, (adapters, adapters). Adapters get normal effects on both
    pools, with the measured spread and correlation; a challenger is promoted when its gain is at least the minimum, its
    lower bound is above 0 on both pools. `errors`: typical standard error of a gain on each pool.
    """
    effects = np.stack([np.nanmean(selection, axis=1), np.nanmean(confirmation, axis=1)])  # (pools, adapters)
    spread = np.cov(effects * (len(selection) - 1) / len(selection))
    rng = np.random.default_rng(11)
    champion = rng.multivariate_normal([0, 0], spread, size=years)  # (years, pools)
    needed = np.maximum([least, 0.0], 1.645 * np.array(errors))
    total = 0
    for _ in range(NIGHTS):
        challenger = rng.multivariate_normal([0, 0], spread, size=years)
        wins = (challenger - champion >= needed).all(axis=1)
        total += int(wins.sum())
        champion[wins] = challenger[wins]
    return total / years


@dataclass(frozen=True, slots=True)
class Kinds:
    """The adapters of the grown year."""

    levels: Sequence[Sequence[str]]
    "Run keys by level of knowledge, lowest first."
    harmed: Sequence[str]


@dataclass(frozen=True, slots=True)
class Figures:
    """A measure of a run, and the true value of its kind."""

    shown: Mapping[str, float]
    "By run, on the selection pool."
    true: Mapping[str, float]
    "By kind: the mean over its seeds."

    def gain(self, challenger: str, champion: str) -> tuple[float, float]:
        """(shown, true) of a promotion."""
        shown = self.shown[challenger] - self.shown[champion]
        return shown, self.true[kind_of(challenger)] - self.true[kind_of(champion)]


@dataclass(frozen=True, slots=True)
class Worth:
    """Both measures of every run."""

    accuracy: Figures
    bits: Figures
    "Bits per byte saved, against the base."


@dataclass
class Ledger:
    """Promotions of a gate, summed over years."""

    years: int = 0
    promotions: Counter[str] = field(default_factory=Counter)
    "`better`, `no better`, `worse`."
    accuracy: list[tuple[float, float]] = field(default_factory=list)
    "(shown, true) gain in right answers of every promotion."
    bits: list[tuple[float, float]] = field(default_factory=list)
    "(shown, true) gain in bits per byte."
    last: list[float] = field(default_factory=list)
    "True bits per byte saved by the champion at the end of each year."

    def a_year(self, what: str) -> float:
        """Promotions of one kind per year."""
        return self.promotions[what] / max(self.years, 1)


def kind_of(key: str) -> str:
    """A run's key without its seed."""
    return key.rpartition("/")[0]


def figures(shown: Mapping[str, float]) -> Figures:
    """Measured values with the mean of each kind."""
    of: dict[str, list[float]] = {}
    for key, value in shown.items():
        of.setdefault(kind_of(key), []).append(value)
    return Figures(shown, {kind: float(np.mean(values)) for kind, values in of.items()})


def worth_of(court: Court) -> Worth:
    """Right answers, and bits saved against the base, on the selection pool."""
    asked = {key: run for key, run in court.runs.items() if SELECTION in run.sheets}
    right = {key: mean(court.report(key).items, accuracy) or 0.0 for key in asked}
    return Worth(figures(right), figures({key: court.gain(key, BASE) for key in asked}))


def grown_year(gate: Gate, kinds: Kinds, worth: Worth, ledger: Ledger, seed: int) -> None:
    """One year under one gate; the same seed gives every gate the same nights."""
    rng = np.random.default_rng(seed)
    rank = {kind_of(key): place for place, keys in enumerate(kinds.levels) for key in keys}
    champion = str(rng.choice(kinds.levels[0]))
    for night in range(NIGHTS):
        level = min(night * len(kinds.levels) // NIGHTS, len(kinds.levels) - 1)
        luck, lucky = rng.random(), rng.random()
        among = kinds.harmed if luck < HARMED_NIGHTS and kinds.harmed else kinds.levels[level]
        if HARMED_NIGHTS <= luck < HARMED_NIGHTS + WORSE_NIGHTS:
            among = kinds.levels[max(level - 1, 0)]
        challenger = among[int(lucky * len(among))]
        if challenger == champion or not gate(challenger, champion):
            continue
        new, old = rank.get(kind_of(challenger), -1), rank.get(kind_of(champion), -1)
        ledger.promotions["better" if new > old else "no better" if new == old else "worse"] += 1
        ledger.accuracy.append(worth.accuracy.gain(challenger, champion))
        ledger.bits.append(worth.bits.gain(challenger, champion))
        champion = challenger
    ledger.last.append(worth.bits.true[kind_of(champion)])
    ledger.years += 1


def our_gate(court: Court) -> Gate:
    """`decide`."""
    return lambda challenger, champion: court.judge_soon(challenger, champion).promoted


def bare_gate(shown: Mapping[str, float]) -> Gate:
    """`new >= old` on the share of right answers."""
    return lambda challenger, champion: shown[challenger] >= shown[champion]
