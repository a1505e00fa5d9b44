"""What came out, as values (`study`) and as the tables of `docs/gate.md` (`render`); from the runs' file alone."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.gate_study import coverage, harms, plan, schedule, verdicts, year
from benchmarks.gate_study.runs import BASE, Run
from benchmarks.gate_study.verdicts import Court, Finding, Matrix, Share
from bonsai.decision import Policy

YEARS = 40
QUICK_RESAMPLES = 800
"Of the bootstrap, where thousands of verdicts are reached: planted gains in all pairs, and the grown years."


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


@dataclass(frozen=True, slots=True)
class Detected:
    """One kind of weaker champion, met by whole adapters of other seeds."""

    champion: str
    gain: float
    "Mean gain of all pairs: the size that was planted, bits per byte."
    pairs: int
    promoted: Share
    caught: Counter[str]
    tries: int
    "Pairs without a common adapter ..."
    won: int
    "... and how many of them were promoted."


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


@dataclass(frozen=True)
class Study:
    """Everything that is shown."""

    policy: Policy
    minimum: Minimum
    night_minimum: Minimum | None
    "Of the recipe that ships, as long as a night trains."
    suite_minimum: Minimum | None
    "The same on the owner's suite: `gate.min_suite_gain_bits`."
    no_progress: NoProgress
    detected: Sequence[Detected]
    harmed: Sequence[Harmed]
    coverage: Sequence[coverage.Coverage]
    years: Mapping[str, year.Ledger]
    accuracy: Mapping[str, float]
    "Mean right answers on the selection pool, by kind of adapter."


def study(runs: Mapping[str, Run]) -> Study:
    """Judge everything that was run."""
    shipped = plan.policy_of(plan.defaults())
    fitted = fit(Court(runs, shipped), keys_of(runs, "seed", schedule.FIT_SEEDS))
    policy = replace(shipped, min_gain_bits=fitted.bits)
    court, quick = Court(runs, policy), Court(runs, replace(policy, resamples=QUICK_RESAMPLES))
    tested = keys_of(runs, "seed", schedule.TEST_SEEDS)
    shown = year.accuracies(runs)
    return Study(
        policy,
        fitted,
        fit(court, nights) if len(nights := keys_of(runs, "night", schedule.NIGHT_SEEDS)) > 2 else None,
        fit_suite(runs, shipped),
        no_progress(court, tested, shown),
        [one for kind in weaker_kinds(runs) if (one := detected(quick, kind, tested))],
        [done for name in harms.NAMES if (done := harmed(court, name))],
        coverage.study(court, coverage_pairs(runs, tested), policy),
        grown_years(quick, shown),
        year.true_accuracies(shown),
    )


def keys_of(runs: Mapping[str, Run], kind: str, seeds: Sequence[int]) -> list[str]:
    """The runs of one kind that are there."""
    return [key for seed in seeds if (key := f"{kind}/{seed}") in runs]


def fit_suite(runs: Mapping[str, Run], policy: Policy) -> Minimum | None:
    """The minimum on the owner's suite."""
    keys = keys_of(runs, "house", schedule.HOUSE_SEEDS)
    return fit(Court(runs, policy, plan.household().suite), keys, verdicts.SUITE) if len(keys) > 2 else None


def fit(court: Court, keys: Sequence[str], pool: str = verdicts.SELECTION) -> Minimum:
    """The minimum gain, and how sure it is."""
    gains = verdicts.gains_between(court, keys, pool)
    effects = np.nanmean(gains, axis=1) * (len(keys) - 1) / len(keys)
    spread = float(effects.std(ddof=1))
    return Minimum(len(keys), verdicts.predicted_minimum(spread, len(keys)), verdicts.minimum(gains), spread)


def no_progress(court: Court, keys: Sequence[str], shown: Mapping[str, float]) -> NoProgress:
    """A/A: all ordered pairs."""
    table = court.table(keys, keys)
    promoted = verdicts.promoted_matrix(table)
    bare = np.array([[np.nan if a == b else float(shown[a] >= shown[b]) for b in keys] for a in keys])
    reached = [one for row in table for one in row if one and one.gain >= court.policy.min_gain_bits]
    selection, confirmation = (verdicts.gains_between(court, keys, pool) for pool in ("selection", "confirmation"))
    return NoProgress(
        seeds=len(keys),
        pairs=int(np.isfinite(promoted).sum()),
        promoted=verdicts.adapter_interval(promoted, verdicts.share_of),
        bound=verdicts.disjoint_bound(len(keys)),
        bare=verdicts.adapter_interval(bare, verdicts.share_of),
        a_year=verdicts.adapter_interval(promoted, year.expected_promotions, draws=500),
        fresh=year.fresh_year(selection, confirmation, typical_errors(court, keys), court.policy.min_gain_bits),
        gains=selection,
        caught=Counter(rule for one in reached if not one.promoted for rule in one.caught),
        reached=len(reached),
    )


def typical_errors(court: Court, keys: Sequence[str]) -> tuple[float, float]:
    """Median standard error of a gain between two seeds, on the selection and on the confirmation pool."""
    pairs = list(itertools.pairwise(keys))[:20]
    selection, confirmation = (
        float(np.median([court.error(*pair, pool) for pair in pairs])) for pool in ("selection", "confirmation")
    )
    return selection, confirmation


def weaker_kinds(runs: Mapping[str, Run]) -> list[str]:
    """`scaled/0.95` ... `part/0.5`, and the base."""
    kinds = dict.fromkeys(year.kind_of(key) for key in runs if key.startswith(("scaled/", "part/")))
    return [*sorted(kinds, reverse=True), BASE]


def detected(court: Court, kind: str, whole: Sequence[str]) -> Detected | None:
    """How often whole adapters are promoted over champions of this kind."""
    champions = [key for key in court.runs if key == kind or year.kind_of(key) == kind]
    whole = [key for key in whole if court.runs[key].seed in schedule.TRIES]
    if not champions or not whole:
        return None
    table = court.table(whole, champions)
    found = [one for row in table for one in row if one]
    promoted = verdicts.promoted_matrix(table)
    apart = [one for one in (row_of(table, step, champions) for step in range(len(whole))) if one]
    hits = [one.promoted for one in found]
    spread = verdicts.clopper_pearson(sum(one.promoted for one in apart), len(apart))
    return (
        Detected(
            champion=kind,
            gain=float(np.mean([one.gain for one in found])),
            pairs=len(found),
            promoted=Share(float(np.nanmean(promoted)), spread.low, spread.high),
            caught=Counter(rule for one in found if not one.promoted for rule in one.caught),
            tries=len(apart),
            won=sum(one.promoted for one in apart),
        )
        if hits
        else None
    )


def row_of(table: Sequence[Sequence[Finding | None]], step: int, champions: Sequence[str]) -> Finding | None:
    """The finding of one try: each challenger meets the champion after its own, so no adapter comes twice."""
    return table[step][(step + 1) % len(champions)] if len(champions) > 1 else table[step][0]


def harmed(court: Court, name: str) -> Harmed | None:
    """One harm's verdicts, beside those of the same adapters without it."""
    steps = [schedule.Step(f"harm/{name}/{seed}") for seed in schedule.TRIES]
    found, over_base, control = [], [], []
    for step in steps:
        champion, whole = schedule.champion_of(step), f"seed/{step.seed}"
        if step.key not in court.runs or champion not in court.runs:
            continue
        found.append(court.judge(step.key, champion))
        over_base.append(court.judge(step.key, BASE))
        control.append(court.judge(whole, champion))
    if not found:
        return None
    return Harmed(
        name,
        len(found),
        sum(one.promoted for one in found),
        sum(one.promoted for one in over_base),
        sum(one.promoted for one in control),
        Counter(rule for one in found if not one.promoted for rule in one.caught),
    )


def coverage_pairs(runs: Mapping[str, Run], tested: Sequence[str]) -> list[tuple[str, str]]:
    """A seed against another, against a weaker one, against the base, and a harmed one: four kinds of differences."""
    wanted = [
        ("seed/101", "seed/102"),
        ("seed/103", f"scaled/{schedule.WEAKER}/101"),
        ("seed/101", BASE),
        ("harm/looping/101", "seed/102"),
    ]
    return [pair for pair in wanted if all(key in runs for key in pair)]


def grown_years(court: Court, shown: Mapping[str, float]) -> dict[str, year.Ledger]:
    """The grown year under both gates, over and over."""
    levels = [[key for key in court.runs if key.startswith(f"scaled/{level}/")] for level in sorted(schedule.LEVELS)]
    levels.append([f"seed/{seed}" for seed in schedule.TRIES if f"seed/{seed}" in court.runs])
    bad = [key for key in court.runs if key.startswith("harm/") and "/nan/" not in key and "/untouched/" not in key]
    kinds = year.Kinds([level for level in levels if level], bad)
    gates = {"`new >= old`": year.bare_gate(shown), "this gate": year.our_gate(court)}
    ledgers = {name: year.Ledger() for name in gates}
    for number in range(YEARS):
        for name, gate in gates.items():
            year.grown_year(gate, kinds, shown, ledgers[name], number)
    return ledgers
