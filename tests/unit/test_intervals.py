"""Intervals as a line of text."""

from __future__ import annotations

import pytest

from bonsai.cli.presenters.promotions import LEFT, POINT, RIGHT, THRESHOLD, WIDTH, ZERO, plot, scale_of


def test_an_interval_stands_where_its_figures_are() -> None:
    drawn = plot(scale_of([-0.1, 0.1]), 0.05, 0.025, 0.075, -0.05)
    assert drawn == "    ╎   │ ├─●─┤"
    assert len(drawn) <= WIDTH


def test_zero_and_threshold_are_seen_when_the_interval_does_not_cover_them() -> None:
    drawn = plot(scale_of([0.4]), 0.3, 0.2, 0.4, 0.02)
    assert drawn.index(THRESHOLD) <= drawn.index(LEFT) < drawn.index(POINT) < drawn.index(RIGHT)
    assert ZERO in plot(scale_of([0.4]), 0.3, 0.2, 0.4, None)


@pytest.mark.parametrize("value", [-9.0, 9.0])
def test_what_lies_beyond_the_scale_is_on_its_edge(value: float) -> None:
    drawn = plot(scale_of([0.1]), value, value, value, None)
    assert drawn.find(POINT) == (0 if value < 0 else WIDTH - 1)


def test_without_figures_there_is_a_scale_all_the_same() -> None:
    assert plot(scale_of([None]), 0.0, 0.0, 0.0, None).strip() == POINT
