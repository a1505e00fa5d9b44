"""Simulated years of 365 nights: measured differences between seeds, and the budget's levels spent and returned.

A home's challengers differ from each other by the luck of their seeds: normal effects on every claim, on both pools and
on the share of right answers, with the measured spread and correlation. What the records truly teach is counted in
*lessons*, each worth twice the minimum of every claim. The gate is rules C and F: a gain of at least the minimum whose
lower bound is above 0, on both pools. Rules A, B, D and E, which see harm, are not simulated. `expected_promotions`
needs none of this: it is exact for the measured adapters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.gate_study.verdicts import Matrix
from bonsai.gate import error_budget

Array = NDArray[np.float64]
NIGHTS = 365
YEARS = 100
LESSONS = 4
"What the records teach in a year."
LESSON = 2.0
"Worth of a lesson, in minimum gains."
WORSE_NIGHTS = 0.10
"Share of nights whose records fall back a lesson: deleted, retagged, truncated."
CLAIMS = ("right_fixed", "bits_fixed", "right_personal", "bits_personal")


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


@dataclass(frozen=True, slots=True)
class Home:
    """What a home's gate sees, measured on the seeds of one recipe. Sequences run over `claims`."""

    claims: tuple[str, ...]
    effects: Array
    """Of each seed, (seeds, claims + fixed claims + 1): on selection, the fixed ones on confirmation, and the share of
    right answers."""
    errors: Array
    "Standard error of a gain over questions, on selection ..."
    confirmed_errors: Array
    "... and of the fixed claims on confirmation."
    least: Array
    "Minimum gains."
    graded: int
    "Questions that are right or wrong."

    @property
    def fixed(self) -> list[int]:
        """Places of the claims about the fixed questions."""
        return [place for place, claim in enumerate(self.claims) if claim.endswith("_fixed")]

    def without_personal_set(self) -> Home:
        """A small home: too few own facts for a claim."""
        kept = self.fixed
        columns = [*kept, *range(len(self.claims), self.effects.shape[1])]
        return replace(
            self, claims=tuple(self.claims[place] for place in kept), effects=self.effects[:, columns],
            errors=self.errors[kept], least=self.least[kept],
        )  # fmt: skip

    def with_more_facts(self, times: float) -> Home:
        """A large home: so many times the own facts, so smaller errors on the personal set."""
        smaller = np.array([1.0 if claim.endswith("_fixed") else times**-0.5 for claim in self.claims])
        return replace(self, errors=self.errors * smaller)

    def worth(self) -> Array:
        """What a lesson adds to each effect; to the share of right answers, as if every question could gain."""
        return LESSON * np.array([*self.least, *self.least[self.fixed], self.least[self.claims.index("right_fixed")]])


@dataclass(frozen=True, slots=True)
class Night:
    """What a gate reads on one night."""

    gains: Array
    "Of the challenger over the champion; as `Home.effects`."
    looks: tuple[int, tuple[int, ...]]
    "Number of earlier nights, and those of them that promoted, from 1."


Gate = Callable[[Home, Night], bool]
World = Callable[[int, np.random.Generator], float]
"Lessons that the records of a night hold."


def nothing_new(night: int, rng: np.random.Generator) -> float:
    """Every night brings another seed, and no more."""
    return 0.0


def drift(night: int, rng: np.random.Generator) -> float:
    """The records teach a little more every night."""
    return LESSONS * night / NIGHTS


def lessons(night: int, rng: np.random.Generator) -> float:
    """The owner teaches at some times of the year; on some nights the last lesson is missing."""
    known = (LESSONS + 1) * night // NIGHTS
    return float(max(known - (rng.random() < WORSE_NIGHTS), 0))


WORLDS: Mapping[str, World] = {"nothing new": nothing_new, "a little every night": drift, "four lessons": lessons}


@cache
def level_of(nights: int, promoted: tuple[int, ...], budget: float) -> float:
    """The level after so many nights of which these promoted."""
    return error_budget.level([number in promoted for number in range(1, nights + 1)], budget)


def budget_gate(budget: float, again: float) -> Gate:
    """Rule C at the levels of the error budget, and rule F at the level `again`."""
    return lambda home, night: shows(home, night.gains, level_of(*night.looks, budget), again)


def fixed_gate(level: float) -> Gate:
    """Both at one level every night."""
    return lambda home, night: shows(home, night.gains, level, level)


def bare_gate(home: Home, night: Night) -> bool:
    """`new >= old` on right answers."""
    return bool(round(night.gains[-1] * home.graded) >= 0)


def shows(home: Home, gains: Array, level: float, level_again: float) -> bool:
    """Rule C on selection, then rule F on the claims about the fixed questions that passed."""
    count = len(home.claims)
    passed = gains[:count] >= np.maximum(home.least, normal_quantile(level / count) * home.errors)
    if not passed.any():
        return False
    again = passed[home.fixed]
    needed = normal_quantile(level_again / max(int(again.sum()), 1)) * home.confirmed_errors
    return bool(not again.any() or (gains[count:-1][again] > needed[again]).any())


@cache
def normal_quantile(level: float) -> float:
    """What a standard normal variable exceeds with this probability."""
    from scipy.special import ndtri

    return -float(ndtri(level))


@dataclass
class Ledger:
    """Promotions of a gate, summed over years."""

    years: int = 0
    promotions: Counter[str] = field(default_factory=Counter)
    "`better`, `no better`, `worse`."
    held: list[float] = field(default_factory=list)
    "Lessons that the last champion of each year holds."

    def a_year(self, what: str) -> float:
        """Promotions of one kind per year."""
        return self.promotions[what] / max(self.years, 1)

    @property
    def false_share(self) -> float | None:
        """Share of the promotions that were not better; None without one."""
        total = self.promotions.total()
        return 1 - self.promotions["better"] / total if total else None


def live(home: Home, world: World, gate: Gate, years: int = YEARS) -> Ledger:
    """Years under one gate; every gate meets the same nights."""
    ledger, spread = Ledger(), np.cov(home.effects, rowvar=False)
    centre, worth = np.zeros(len(spread)), home.worth()
    for number in range(years):
        rng = np.random.default_rng(number)
        luck = rng.multivariate_normal(centre, spread, size=NIGHTS + 1, method="eigh")
        champion, known, promoted = luck[-1], 0.0, tuple[int, ...]()
        for night in range(NIGHTS):
            held = world(night, rng)
            challenger = luck[night] + held * worth
            if not gate(home, Night(challenger - champion, (night, promoted))):
                continue
            ledger.promotions["better" if held > known else "no better" if held == known else "worse"] += 1
            champion, known, promoted = challenger, held, (*promoted, night + 1)
        ledger.held.append(known)
        ledger.years += 1
    return ledger


def effects_of(gains: Matrix) -> Array:
    """Each seed's effect from the gains of all pairs, (seeds, seeds) with NaN on the diagonal."""
    return np.asarray(np.nanmean(gains, axis=1) * (len(gains) - 1) / len(gains), float)


def homes(home: Home) -> dict[str, Home]:
    """The measured home, a small and a large one."""
    found = {"small": home.without_personal_set()}
    if len(home.claims) > len(home.fixed):
        found |= {"with a household": home, "large": home.with_more_facts(4.0)}
    return found


def study(home: Home, budget: float, alpha: float, years: int = YEARS) -> dict[str, dict[str, Ledger]]:
    """Ledgers by home and world, then by gate."""
    gates: dict[str, Gate] = {
        "`new >= old`": bare_gate,
        f"{alpha:.0%} every night": fixed_gate(alpha),
        "this gate": budget_gate(budget, alpha),
    }
    return {
        f"{size}, {name}": {label: live(one, world, gate, years) for label, gate in gates.items()}
        for size, one in homes(home).items()
        for name, world in WORLDS.items()
    }
