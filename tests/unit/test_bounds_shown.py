"""An interval of a few facts is shown only where it says something; the gate's own estimates stay as they are."""

from __future__ import annotations

from dataclasses import replace

from hand_nights import hand_report

from bonsai.evaluate.compare import ACCURACY, ReportPair, Slice, bits_measure, compare
from bonsai.evaluate.questions import load
from bonsai.evaluate.report import Report
from bonsai.evaluate.statistics import Bootstrap

BOOTSTRAP = Bootstrap(resamples=2_000, seed=1, min_clusters=10, min_stratum_clusters=10)
BITS = bits_measure(8.0, 0.0)
FEW = tuple(one for one in load("selection") if one.domain == "ask_back" and one.language == "en")[:10]


def reports(gains: dict[int, float]) -> ReportPair:
    """Ten facts; the challenger saves these bits on some of them, and next to none on the others."""
    assert len({one.cluster for one in FEW}) == len(FEW) == 10
    old = hand_report("v2/selection", FEW, "base", 2.0, forgets=False)
    return ReportPair(moved(old, gains), old)


def moved(report: Report, gains: dict[int, float]) -> Report:
    items = tuple(
        replace(one, bits_per_byte=one.bits_per_byte - gains.get(number, 1e-6 * number))
        for number, one in enumerate(report.items)
    )
    return replace(report, subject="challenger", items=items)


def test_a_bound_beyond_every_single_difference_is_not_shown() -> None:
    found = compare(reports({0: 4.0}), Slice("all"), BITS, BOOTSTRAP, frozenset())
    assert found.estimate is not None
    assert found.estimate.upper(0.05) > found.most, "one outlier among ten alike: the bootstrap divides by almost 0"
    assert found.bounds(0.05) is None


def test_a_sound_interval_is_shown_as_it_is() -> None:
    found = compare(reports({number: 0.1 * number for number in range(10)}), Slice("all"), BITS, BOOTSTRAP, frozenset())
    assert found.estimate is not None
    assert found.bounds(0.05) == (found.estimate.lower(0.05), found.estimate.upper(0.05))


def test_no_change_at_all_keeps_its_interval_of_right_and_wrong() -> None:
    found = compare(reports({}), Slice("all"), ACCURACY, BOOTSTRAP, frozenset())
    assert found.mean == 0
    bounds = found.bounds(0.05)
    assert bounds is not None
    assert bounds[0] < 0 < bounds[1]


def test_too_few_facts_have_no_bounds() -> None:
    many = Bootstrap(resamples=100, seed=1, min_clusters=11, min_stratum_clusters=10)
    assert compare(reports({}), Slice("all"), BITS, many, frozenset()).bounds(0.05) is None
