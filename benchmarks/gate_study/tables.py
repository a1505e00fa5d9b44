"""Computes the values of tables and plots from the stored runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np

from benchmarks.gate_study import coverage, harms, plan, schedule, verdicts, year
from benchmarks.gate_study.runs import BASE, Run
from benchmarks.gate_study.values import Detected, Harmed, Minimum, NoProgress, SliceSpread, Study
from benchmarks.gate_study.verdicts import Court, Finding, Share
from bonsai.evaluate.compare import Slice, compare, slices
from bonsai.gate.calibration import QUANTILE, predicted_minimum, seed_spread
from bonsai.gate.decision import Policy

YEARS = 40
SMALLER_MINIMA = (0.01, 0.015, 0.02)
QUICK_RESAMPLES = 800
"Bootstrap draws where thousands of verdicts are computed: planted gains in all pairs, and the grown years."


def study(runs: Mapping[str, Run]) -> Study:
    """All values of the study."""
    shipped = plan.policy_of(plan.defaults())
    fitted = fit(Court(runs, shipped), keys_of(runs, "seed", schedule.FIT_SEEDS))
    policy = replace(shipped, min_gain_bits=fitted.bits)
    court, quick = Court(runs, policy), Court(runs, replace(policy, resamples=QUICK_RESAMPLES))
    tested = keys_of(runs, "seed", schedule.TEST_SEEDS)
    tries = keys_of(runs, "seed", schedule.TRIES)
    worth = year.worth_of(quick)
    return Study(
        policy,
        fitted,
        fit(court, nights) if len(nights := keys_of(runs, "night", schedule.NIGHT_SEEDS)) > 2 else None,
        fit(court, keys_of(runs, "seed", schedule.FIT_SEEDS + schedule.TEST_SEEDS)),
        fit_suite(runs, shipped),
        no_progress(court, tested, worth.accuracy.shown),
        slice_spreads(court, tested),
        [one for kind in weaker_kinds(runs) if (one := detected(quick, kind, tries))],
        night_detected(Court(runs, replace(shipped, resamples=QUICK_RESAMPLES))),
        [done for name in harms.NAMES if (done := harmed(court, name))],
        coverage.study(court, coverage_pairs(runs, tested), policy),
        grown_years(quick, worth),
        schedule.progress(runs),
    )


def keys_of(runs: Mapping[str, Run], kind: str, seeds: Sequence[int]) -> list[str]:
    """Finished runs of one kind."""
    return [key for seed in seeds if (key := f"{kind}/{seed}") in runs]


def fit_suite(runs: Mapping[str, Run], policy: Policy) -> Minimum | None:
    """The minimum on the personal set."""
    keys = keys_of(runs, "house", schedule.HOUSE_SEEDS)
    return fit(Court(runs, policy, plan.household().suite), keys, verdicts.SUITE) if len(keys) > 2 else None


def fit(court: Court, keys: Sequence[str], pool: str = verdicts.SELECTION) -> Minimum:
    """The minimum gain with its interval."""
    gains = verdicts.gains_between(court, keys, pool)
    spread = seed_spread(gains)
    return Minimum(len(keys), predicted_minimum(spread, len(keys)), verdicts.minimum(gains), spread)


def no_progress(court: Court, keys: Sequence[str], shown: Mapping[str, float]) -> NoProgress:
    """A/A test: all ordered pairs of seeds."""
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
        smaller={least: _share_at(court, keys, least) for least in SMALLER_MINIMA},
    )


def _share_at(court: Court, keys: Sequence[str], least: float) -> float:
    policy = replace(court.policy, min_gain_bits=least, resamples=QUICK_RESAMPLES)
    return verdicts.share_of(verdicts.promoted_matrix(Court(court.runs, policy).table(keys, keys)))


def slice_spreads(court: Court, keys: Sequence[str]) -> list[SliceSpread]:
    """Every slice of rule D."""
    policy = court.policy
    margins = [
        (Slice("ja", None, "ja"), policy.language_margin_bits),
        (Slice("en", None, "en"), policy.language_margin_bits),
        (Slice("retention", policy.retention_domains), policy.retention_margin_bits),
    ]
    smaller = slices(court.report(keys[0]), policy.min_slice_clusters)
    return [_slice_spread(court, keys, *one) for one in (*margins, *((s, policy.slice_margin_bits) for s in smaller))]


def _slice_spread(court: Court, keys: Sequence[str], part: Slice, margin: float) -> SliceSpread:
    few = replace(court.policy.slice_bootstrap, resamples=2)
    found = [compare(court.pair(*pair), part, court.policy.bits, few, frozenset()) for pair in combinations(keys, 2)]
    gains = np.array([one.mean for one in found])
    deviation = float(np.sqrt(np.mean(gains**2)))  # both orders of a pair, so the mean is 0
    return SliceSpread(part.name, found[0].clusters, deviation, float(np.quantile(np.abs(gains), QUANTILE)), margin)


def typical_errors(court: Court, keys: Sequence[str]) -> tuple[float, float]:
    """Median standard error of a gain between two seeds, on the selection and on the confirmation pool."""
    pairs = list(pairwise(keys))[:20]
    selection, confirmation = (
        float(np.median([court.error(*pair, pool) for pair in pairs])) for pool in ("selection", "confirmation")
    )
    return selection, confirmation


def weaker_kinds(runs: Mapping[str, Run]) -> list[str]:
    """`scaled/0.95` ... `part/0.5`, and the base."""
    kinds = dict.fromkeys(year.kind_of(key) for key in runs if key.startswith(("scaled/", "part/")))
    return [*sorted(kinds, reverse=True), BASE]


def night_detected(court: Court) -> list[Detected]:
    """The same with adapters trained as long as in a night, under the shipped minimum."""
    whole = keys_of(court.runs, "night", schedule.NIGHT_SEEDS)
    kinds = [f"night-scaled/{level}" for level in schedule.NIGHT_LEVELS]
    return [one for kind in (*kinds, BASE) if (one := detected(court, kind, whole))]


def detected(court: Court, kind: str, whole: Sequence[str]) -> Detected | None:
    """Promoted share of unscaled adapters over champions of this kind."""
    champions = [key for key in court.runs if key == kind or year.kind_of(key) == kind]
    if not champions or not whole:
        return None
    table = court.table(whole, champions)
    found = [one for row in table for one in row if one]
    apart = [one for one in (row_of(table, step, champions) for step in range(len(whole))) if one]
    if not apart:
        return None
    refused = [one for one in found if not one.promoted]
    won = sum(one.promoted for one in apart)
    exact = verdicts.clopper_pearson(won, len(apart))
    return Detected(
        champion=kind,
        gain=float(np.mean([one.gain for one in found])),
        pairs=len(found),
        promoted=Share(1 - len(refused) / len(found), exact.low, exact.high),
        caught=Counter(rule for one in refused for rule in one.caught),
        faulty=sum(any(rule[0] in "BE" for rule in one.caught) for one in refused),
        tries=len(apart),
        won=won,
    )


def row_of(table: Sequence[Sequence[Finding | None]], step: int, champions: Sequence[str]) -> Finding | None:
    """Verdicts of one attempt: each challenger meets the champion of the next seed, so no adapter is used twice."""
    return table[step][(step + 1) % len(champions)] if len(champions) > 1 else table[step][0]


def harmed(court: Court, name: str) -> Harmed | None:
    """Verdicts with one harm, and of the same adapters without it."""
    steps = [schedule.Step(f"harm/{name}/{seed}") for seed in schedule.TRIES]
    met = [(step, schedule.champion_of(step)) for step in steps]
    met = [(step, champion) for step, champion in met if step.key in court.runs and champion in court.runs]
    if not met:
        return None
    found = [court.judge(step.key, champion) for step, champion in met]
    confirmed = [
        court.gain(step.key, champion, verdicts.CONFIRMATION)
        for step, champion in met
        if verdicts.CONFIRMATION in court.runs[step.key].sheets
    ]
    return Harmed(
        name,
        len(found),
        sum(one.promoted for one in found),
        sum(court.judge(step.key, BASE).promoted for step, _ in met),
        sum(court.judge(f"seed/{step.seed}", champion).promoted for step, champion in met),
        Counter(rule for one in found if not one.promoted for rule in one.caught),
        float(np.mean([one.gain for one in found])),
        float(np.mean(confirmed)) if confirmed else float("nan"),
        court.runs[met[0][0].key].note.get(schedule.HELD_BACK, float("nan")),
    )


def coverage_pairs(runs: Mapping[str, Run], tested: Sequence[str]) -> list[tuple[str, str]]:
    """Four kinds of pairs: two seeds, a seed and a weaker one, a seed and the base, a harmed adapter and a seed."""
    pairs = [
        ("seed/101", "seed/102"),
        ("seed/103", f"scaled/{schedule.WEAKER}/101"),
        ("seed/101", BASE),
        ("harm/looping/101", "seed/102"),
    ]
    return [pair for pair in pairs if all(key in runs for key in pair)]


def grown_years(court: Court, worth: year.Worth) -> dict[str, year.Ledger]:
    """The grown year under both gates, repeated."""
    levels = [[key for key in court.runs if key.startswith(f"scaled/{level}/")] for level in sorted(schedule.LEVELS)]
    levels.append([f"seed/{seed}" for seed in schedule.TRIES if f"seed/{seed}" in court.runs])
    bad = [key for key in court.runs if key.startswith("harm/") and key.split("/")[1] in harms.HARMS]
    kinds = year.Kinds([level for level in levels if level], bad)
    gates = {"`new >= old`": year.bare_gate(worth.accuracy.shown), "this gate": year.our_gate(court)}
    ledgers = {name: year.Ledger() for name in gates}
    for number in range(YEARS):
        for name, gate in gates.items():
            year.grown_year(gate, kinds, worth, ledgers[name], number)
    return ledgers
