"""What the benchmark says it can see, it sees: held against planted gains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from planted import changed, default_policy, shifted, world

from bonsai.evaluate.compare import ACCURACY, ReportPair, Slice, compare
from bonsai.evaluate.power import clusters_needed, detectable_effects, smallest_gain
from bonsai.evaluate.report import ItemResult, Report

POLICY = default_policy(resamples=300)
FACTS = {"cat_care": 90, "general": 60}
ALL = Slice("all")
RUNS = 80
POWER = 0.8


def seen_bits(gain: float, run: int) -> bool:
    pair = ReportPair(shifted(world(2 * run, facts=FACTS), 2 - gain), shifted(world(2 * run + 1, facts=FACTS), 2))
    found = compare(pair, ALL, POLICY.bits, POLICY.bootstrap, frozenset())
    return found.estimate is not None and found.estimate.lower(POLICY.alpha) > 0


def measured(seed: int) -> ReportPair:
    return ReportPair(world(seed, facts=FACTS), world(seed + 1, facts=FACTS))


def test_the_smallest_gain_in_bits_is_seen_in_8_of_10_nights() -> None:
    told = [
        detectable_effects(measured(s), [ALL], [POLICY.bits], POLICY.bootstrap, alpha=POLICY.alpha, power=POWER)
        for s in range(9_000, 9_020, 2)
    ]
    smallest = float(np.mean([one.smallest_gain for (one,) in told]))
    seen = sum(seen_bits(smallest, run) for run in range(RUNS)) / RUNS
    assert 0.68 <= seen <= 0.92
    assert sum(seen_bits(smallest / 3, run) for run in range(RUNS)) / RUNS < 0.45


def answering(seed: int, share: float) -> Report:
    """Right with this probability, each fact by its own coin."""
    luck = np.random.default_rng(seed)
    right = {name: bool(luck.random() < share) for name in sorted({i.cluster for i in world(1, facts=FACTS).items})}

    def answer(item: ItemResult) -> ItemResult:
        return replace(item, free=replace(item.free, scores=replace(item.free.scores, correct=right[item.cluster])))

    return changed(world(1, facts=FACTS), answer)


def test_the_smallest_gain_in_right_answers_is_seen_in_8_of_10_nights() -> None:
    told = [
        detectable_effects(
            ReportPair(answering(s, 0.55), answering(s + 1, 0.45)),
            [ALL],
            [ACCURACY],
            POLICY.bootstrap,
            alpha=POLICY.alpha,
            power=POWER,
        )[0]
        for s in range(9_000, 9_020, 2)
    ]
    smallest = float(np.mean([one.smallest_gain for one in told]))
    assert {(one.items, one.clusters) for one in told} == {(300, 150)}
    seen = 0
    for run in range(RUNS):
        made = ReportPair(answering(100 + run, 0.45 + smallest), answering(5_000 + run, 0.45))
        found = compare(made, ALL, ACCURACY, POLICY.bootstrap, frozenset()).estimate
        seen += found is not None and found.lower(POLICY.alpha) > 0
    assert 0.68 <= seen / RUNS <= 0.92


def test_four_times_the_facts_see_half_the_gain() -> None:
    few, many = (ReportPair(world(3, facts=f), world(4, facts=f)) for f in ({"general": 40}, {"general": 160}))
    small, large = (
        detectable_effects(pair, [ALL], [POLICY.bits], POLICY.bootstrap, alpha=POLICY.alpha, power=POWER)[0]
        for pair in (few, many)
    )
    assert small.smallest_gain is not None
    assert large.smallest_gain is not None
    assert large.smallest_gain == pytest.approx(small.smallest_gain / 2, rel=0.35)
    assert clusters_needed(40, 0.04, 0.02) == 160


def test_too_few_facts_see_nothing_and_no_items_are_no_slice() -> None:
    parts = [Slice("little", ("general",)), Slice("none", ("translation",))]
    pair = ReportPair(world(3, facts={"general": 9}), world(4, facts={"general": 9}))
    (told,) = detectable_effects(pair, parts, [POLICY.bits], POLICY.slice_bootstrap, alpha=POLICY.alpha, power=POWER)
    assert (told.slice, told.clusters, told.smallest_gain) == ("little", 9, None)


def test_a_minimum_gain_is_asked_for_on_top() -> None:
    found = compare(measured(3), ALL, POLICY.bits, POLICY.bootstrap, frozenset()).estimate
    assert found is not None
    seen, promoted = smallest_gain(found, 0.05, POWER), smallest_gain(found, 0.05, POWER, at_least=0.1)
    assert promoted > 0.1 > seen
