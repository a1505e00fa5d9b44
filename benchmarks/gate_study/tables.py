"""Computes the values of tables and plots from the stored runs; what needs runs that are not made yet stays empty."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from typing import TypeVar

import numpy as np

from benchmarks.gate_study import coverage, harms, plan, schedule, verdicts, year
from benchmarks.gate_study.question_sets import CONFIRMATION, REHEARSED, SCORE, SELECTION, SUITE, unrehearsed
from benchmarks.gate_study.runs import BASE, OTHER, Run
from benchmarks.gate_study.schedule import kind_of
from benchmarks.gate_study.values import Detected, Harmed, Kept, Minimum, NoProgress, OverBase, SliceSpread, Study
from benchmarks.gate_study.verdicts import Court, Finding, Matrix, Share, smallest
from bonsai.evaluate.compare import Slice, compare, slices
from bonsai.evaluate.report import Report, accuracy, mean
from bonsai.gate import calibration
from bonsai.gate.calibration import MINIMA, QUANTILE, predicted_minimum, seed_gains, seed_spread
from bonsai.gate.decision import Policy

T = TypeVar("T")
LIKELIHOOD = "likelihood, no claim"
"Of the reference alone: what learns the words of answers gains it too."
FEWEST = 3
"Seeds with a spread to speak of."
ERROR_PAIRS = 10
QUICK_RESAMPLES = 800
"Bootstrap draws where many verdicts are computed: planted gains in all pairs."


def study(runs: Mapping[str, Run], *, worlds: int = coverage.WORLDS, years: int = year.YEARS) -> Study:
    """All values of the study; `worlds` and `years` are simulated."""
    shipped = plan.shipped_policy()
    policy = short_policy(runs, plan.defaults().gate.policy)
    court, whole_court = Court(runs, policy), Court(runs, shipped)
    quick = Court(runs, replace(shipped, resamples=QUICK_RESAMPLES))
    tested = keys_of(runs, "seed", schedule.TEST_SEEDS)
    nights, houses = keys_of(runs, "night", schedule.NIGHT_SEEDS), keys_of(runs, "house", schedule.HOUSE_SEEDS)
    fresh = keys_of(runs, "fresh", schedule.FRESH_SEEDS)
    groups = {"short plan": (court, tested), "night-long": (whole_court, nights), "household": (whole_court, houses)}
    has_base = BASE in runs
    lived, years_from = simulated_years(court, tested, whole_court, nights, houses, years) if has_base else ({}, "")
    return Study(
        policy,
        minima(runs),
        [no_progress(one, keys, name) for name, (one, keys) in groups.items() if has_base and len(keys) >= FEWEST],
        slice_spreads(court, tested) if len(tested) >= FEWEST else [],
        _each(detected(quick, kind, nights) for kind in (*_scaled("night-scaled", schedule.NIGHT_LEVELS), BASE))
        + _each(detected(quick, kind, fresh) for kind in _scaled("fresh-scaled", schedule.FRESH_LEVELS)),
        _each(harmed(whole_court, name) for name in harms.NAMES),
        _each(over_base(whole_court, kind) for kind in ("form", "harm/form_only", "seed", "night")),
        _each(kept(court, kind) for kind in ("form", "night", "house", f"harm/{harms.FORGETS}")),
        _each(over_base(Court(runs, plan.defaults().gate.policy), kind) for kind in other_kinds()),
        coverage.study(court, pairs, worlds) if (pairs := coverage_pairs(runs)) else [],
        lived,
        years_from,
        schedule.progress(runs),
    )


def _each(found: Iterable[T | None]) -> list[T]:
    return [one for one in found if one is not None]


def _scaled(kind: str, levels: Sequence[float]) -> list[str]:
    return [f"{kind}/{level}" for level in sorted(levels, reverse=True)]


def other_kinds() -> list[str]:
    """Kinds of adapters on the second base."""
    return [f"{OTHER}seed", *(f"{OTHER}harm/{name}" for name in schedule.OTHER_HARMS)]


def keys_of(runs: Mapping[str, Run], kind: str, seeds: Sequence[int]) -> list[str]:
    """Finished runs of one kind."""
    return [key for seed in seeds if (key := f"{kind}/{seed}") in runs]


def all_of(runs: Mapping[str, Run], kind: str) -> list[str]:
    """The same with all planned seeds."""
    return [step.key for step in schedule.order() if step.key in runs and kind_of(step.key) == kind]


def gains_between(court: Court, keys: Sequence[str], name: str = SELECTION) -> dict[str, Matrix]:
    """`seed_gains` of these runs on a question set, with the personal set where all were asked it."""
    personal = name == SELECTION and all(SUITE in court.runs[key].sheets for key in keys)
    suites = [court.report(key, SUITE) for key in keys] if personal else []
    return seed_gains([court.report(key, name) for key in keys], suites, court.policy)


def short_policy(runs: Mapping[str, Run], policy: Policy) -> Policy:
    """The policy with the minima of the short plan, fitted on seeds that take part in nothing else."""
    keys = keys_of(runs, "seed", schedule.FIT_SEEDS)
    if len(keys) < FEWEST:
        return policy
    subject = plan.seedling()
    gains = gains_between(Court(runs, policy), keys)
    return calibration.fit(subject.base, subject.recipe, gains, policy, "").applied(policy)


def minima(runs: Mapping[str, Run]) -> list[Minimum]:
    """The minimum gains of every claim and plan."""
    court = Court(runs, plan.defaults().gate.policy)
    seeds = (*schedule.FIT_SEEDS, *schedule.TEST_SEEDS)
    plans = {
        "short plan": keys_of(runs, "seed", schedule.FIT_SEEDS),
        "short plan, test seeds too": keys_of(runs, "seed", seeds),
        "night-long": keys_of(runs, "night", schedule.NIGHT_SEEDS),
        "night-long, household too": keys_of(runs, "house", schedule.HOUSE_SEEDS),
        "short plan, second base": keys_of(runs, f"{OTHER}seed", schedule.OTHER_SEEDS),
    }
    return [
        _minimum(name, claim, gains, smallest(court.policy, claim))
        for name, keys in plans.items()
        if len(keys) >= FEWEST
        for claim, gains in gains_between(court, keys).items()
    ]


def _minimum(name: str, claim: str, gains: Matrix, default: float) -> Minimum:
    spread, seen = seed_spread(gains), float(np.nanquantile(np.abs(gains), QUANTILE))
    return Minimum(name, claim, len(gains), spread, seen, predicted_minimum(spread, len(gains)), default)


def right_share(report: Report) -> float:
    """Share of right answers."""
    return mean(report.items, accuracy) or 0.0


def no_progress(court: Court, keys: Sequence[str], name: str) -> NoProgress:
    """A/A test: all ordered pairs of seeds."""
    table = court.table(keys, keys)
    found = [one for row in table for one in row if one]
    promoted = verdicts.promoted_matrix(table)
    at_alpha = verdicts.promoted_matrix(court.at(court.policy.alpha).table(keys, keys))
    shown = {key: right_share(court.report(key)) for key in keys}
    bare = np.array([[np.nan if a == b else float(shown[a] >= shown[b]) for b in keys] for a in keys])
    reached = [one for one in found if court.reaches(one.gains)]
    return NoProgress(
        plan=name,
        seeds=len(keys),
        pairs=len(found),
        reached=len(reached),
        promoted=verdicts.adapter_interval(promoted, verdicts.share_of),
        at_alpha=verdicts.adapter_interval(at_alpha, verdicts.share_of),
        bound=verdicts.disjoint_bound(len(keys)),
        bare=verdicts.adapter_interval(bare, verdicts.share_of),
        a_year=year.expected_promotions(promoted),
        caught=Counter(rule for one in reached if not one.promoted for rule in one.caught),
        gains=np.array([[one.gains["bits_fixed"] if one else np.nan for one in row] for row in table]),
        least=court.policy.min_gain_bits,
    )


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


def detected(court: Court, kind: str, whole: Sequence[str]) -> Detected | None:
    """Promoted share of unscaled adapters over champions of this kind."""
    champions = all_of(court.runs, kind)
    table = court.table(whole, champions)
    found = [one for row in table for one in row if one]
    apart = [one for one in (row_of(table, step, champions) for step in range(len(whole) if champions else 0)) if one]
    if not apart or BASE not in court.runs:
        return None
    refused = [one for one in found if not one.promoted]
    won = sum(one.promoted for one in apart)
    exact = verdicts.clopper_pearson(won, len(apart))
    gains = averages(one.gains for one in found)
    return Detected(
        champion=kind,
        gains=gains,
        units={claim: gain / least for claim, gain in gains.items() if (least := smallest(court.policy, claim))},
        score=averages(court.gains(one.challenger, one.champion, SCORE) for one in found)["bits_fixed"],
        pairs=len(found),
        promoted=Share(1 - len(refused) / len(found), exact.low, exact.high),
        caught=Counter(rule for one in refused for rule in one.caught),
        faulty=sum(any(rule[0] in "BE" for rule in one.caught) for one in refused),
        tries=len(apart),
        won=won,
    )


def averages(found: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Mean of each claim."""
    values: dict[str, list[float]] = {}
    for one in found:
        for claim, value in one.items():
            values.setdefault(claim, []).append(value)
    return {claim: float(np.mean(each)) for claim, each in values.items()}


def row_of(table: Sequence[Sequence[Finding | None]], step: int, champions: Sequence[str]) -> Finding | None:
    """Verdicts of one attempt: each challenger meets the champion of the next seed, so no adapter is used twice."""
    return table[step][(step + 1) % len(champions)] if len(champions) > 1 else table[step][0]


def harmed(court: Court, name: str) -> Harmed | None:
    """Verdicts with one harm, and of the same adapters without it."""
    steps = [schedule.Step(f"harm/{name}/{seed}") for seed in schedule.TRIES]
    met = [(step, schedule.champion_of(step)) for step in steps]
    met = [
        (step, champion)
        for step, champion in met
        if {step.key, champion, schedule.unharmed(step.seed), BASE} <= court.runs.keys()
    ]
    if not met:
        return None
    found = [court.judge(step.key, champion) for step, champion in met]
    confirmed = [
        court.gains(step.key, champion, CONFIRMATION)
        for step, champion in met
        if CONFIRMATION in court.runs[step.key].sheets
    ]
    return Harmed(
        name,
        len(found),
        sum(one.promoted for one in found),
        sum(court.judge(step.key, BASE).promoted for step, _ in met),
        sum(court.judge(schedule.unharmed(step.seed), champion).promoted for step, champion in met),
        Counter(rule for one in found if not one.promoted for rule in one.caught),
        averages(one.gains for one in found).get("bits_fixed", math.nan),
        averages(confirmed).get("bits_fixed", math.nan),
        court.runs[met[0][0].key].note.get(schedule.HELD_BACK, math.nan),
    )


def over_base(court: Court, kind: str) -> OverBase | None:
    """What the adapters of a kind gained over the bare base, on taught questions and on control."""
    keys = all_of(court.runs, kind)
    base = f"{OTHER}{BASE}" if kind.startswith(OTHER) else BASE
    if not keys or base not in court.runs:
        return None
    found = [court.judge(key, base) for key in keys]
    weighed = [{**court.weighed(key, base), LIKELIHOOD: court.likelihood(key, base)} for key in keys]
    return OverBase(
        kind,
        len(keys),
        sum(one.promoted for one in found),
        averages({claim: one.taught.mean for claim, one in each.items()} for each in weighed),
        averages({claim: one.control.mean for claim, one in each.items()} for each in weighed),
        Counter(rule for one in found if not one.promoted for rule in one.caught),
    )


def kept(court: Court, kind: str) -> Kept | None:
    """What the adapters of a kind keep of the base's general facts, rehearsed and not."""
    keys = [key for key in all_of(court.runs, kind) if REHEARSED in court.runs[key].sheets]
    if not keys or BASE not in court.runs:
        return None
    found = {rehearsed: [_kept(court, key, rehearsed) for key in keys] for rehearsed in (True, False)}
    right, still, bits, facts = (
        {rehearsed: float(np.mean([one[place] for one in each])) for rehearsed, each in found.items()}
        for place in range(4)
    )
    return Kept(kind, len(keys), right, still, bits, {rehearsed: round(count) for rehearsed, count in facts.items()})


def _kept(court: Court, key: str, rehearsed: bool) -> tuple[float, float, float, int]:
    """Share of right answers, the share of the base's that is right still, bits per byte saved, number of facts."""
    name = REHEARSED if rehearsed else SELECTION
    items = [
        (new, old)
        for new, old in zip(court.report(key, name).items, court.report(BASE, name).items, strict=True)
        if rehearsed or new.id in unrehearsed()
    ]
    known = [new for new, old in items if accuracy(old)]
    saved = float(np.mean([old.bits_per_byte - new.bits_per_byte for new, old in items]))
    right = mean((new for new, _ in items), accuracy) or 0.0
    still = mean(known, accuracy)
    return right, math.nan if still is None else still, saved, len({new.cluster for new, _ in items})


def coverage_pairs(runs: Mapping[str, Run]) -> list[tuple[str, str]]:
    """Two seeds of either plan, an adapter and a weaker one, one and the base, a harmed one and another."""
    pairs = [
        ("seed/101", "seed/102"),
        ("night/301", "night/302"),
        ("night/303", "night-scaled/0.7/301"),
        ("night/301", BASE),
        ("harm/looping/301", "night/302"),
    ]
    return [pair for pair in pairs if all(key in runs for key in pair)]


def simulated_years(
    short: Court, tested: Sequence[str], whole: Court, nights: Sequence[str], houses: Sequence[str], years: int
) -> tuple[dict[str, dict[str, year.Ledger]], str]:
    """The simulated years, and the kind of the runs whose differences they are drawn from."""
    for court, keys in ((whole, houses), (whole, nights), (short, tested)):
        if len(keys) >= FEWEST:
            policy = court.policy
            return year.study(home_of(court, keys), policy.false_promotions, policy.alpha, years), kind_of(keys[0])
    return {}, ""


def home_of(court: Court, keys: Sequence[str]) -> year.Home:
    """What the gate sees in a home whose challengers are such adapters."""
    selection, confirmation = (gains_between(court, keys, name) for name in (SELECTION, CONFIRMATION))
    claims = tuple(claim for claim in year.CLAIMS if claim in selection)
    fixed = tuple(claim for claim in claims if claim in confirmation)
    right = np.array([right_share(court.report(key)) for key in keys])
    columns = [year.effects_of(selection[claim]) for claim in claims]
    columns += [year.effects_of(confirmation[claim]) for claim in fixed]
    graded = sum(accuracy(item) is not None for item in court.report(keys[0]).items)
    return year.Home(
        claims,
        np.stack([*columns, right - right.mean()], axis=1),
        typical_errors(court, keys, SELECTION, claims),
        typical_errors(court, keys, CONFIRMATION, fixed),
        np.array([smallest(court.policy, claim) for claim in claims]),
        graded,
    )


def typical_errors(court: Court, keys: Sequence[str], name: str, claims: Sequence[str]) -> Matrix:
    """Median standard error of each claim between two seeds."""
    pairs = list(pairwise(keys))[:ERROR_PAIRS]
    found = [court.errors(*pair, name) for pair in pairs]
    return np.array([np.median([one[claim] for one in found]) for claim in claims])


def fitted(runs: Mapping[str, Run], made_at: str) -> calibration.Calibration | None:
    """The shipped recipe's calibration: fixed claims by the night-long seeds, personal ones by the household's."""
    nights, houses = keys_of(runs, "night", schedule.NIGHT_SEEDS), keys_of(runs, "house", schedule.HOUSE_SEEDS)
    if min(len(nights), len(houses)) < FEWEST:
        return None
    config = plan.defaults()
    profile, court = config.profiles["seedling"], Court(runs, config.gate.policy)
    gains = {**gains_between(court, houses), **gains_between(court, nights)}
    ordered = {claim: gains[claim] for claim in MINIMA if claim in gains}
    return calibration.fit(profile.base, profile.recipe, ordered, court.policy, made_at)
