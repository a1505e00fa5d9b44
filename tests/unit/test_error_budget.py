"""The error budget of all nights: what it costs to look, what a promotion earns, and what comes of it in a year."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from bonsai.gate.error_budget import level, share_of_budget

BUDGET = 0.1
CLAIMS = 4
ERROR = 0.01
"Standard error of a night's gain beyond control, bits/byte."
MINIMUM = 0.026


def test_the_shares_of_all_later_looks_add_up_to_one() -> None:
    shares = [share_of_budget(look) for look in range(1, 100_001)]
    assert 0.4 < sum(shares) < 1.0, "a very long tail: no night is without a level"
    assert shares[3:] == sorted(shares[3:], reverse=True)


def test_a_look_costs_and_a_promotion_earns() -> None:
    dry = [level([False] * nights, BUDGET) for nights in range(1, 60)]
    assert dry == sorted(dry, reverse=True)
    assert level([], BUDGET) == pytest.approx(BUDGET / 2 * share_of_budget(1))
    assert level([False] * 30 + [True], BUDGET) > 3 * level([False] * 31, BUDGET)
    assert sum(dry) < BUDGET / 2


def test_the_first_promotion_earns_what_was_not_there_at_the_start() -> None:
    """LORD++: half of the budget at the start, the other half by the first promotion, all of it by each later one."""
    first, second = level([True], BUDGET), level([True, True], BUDGET)
    assert first == pytest.approx(0.05 * share_of_budget(2) + 0.05 * share_of_budget(1))
    assert second == pytest.approx(
        0.05 * share_of_budget(3) + 0.05 * share_of_budget(2) + 0.1 * share_of_budget(1)
    )  # fmt: skip


def a_year(rng: np.random.Generator, effects: np.ndarray) -> list[bool]:
    """Nights with these true effects, each seen with normal noise, four claims of which the best is taken."""
    looks: list[bool] = []
    for effect in effects:
        seen = rng.normal(effect, ERROR, CLAIMS).max()
        needed = NormalDist().inv_cdf(1 - level(looks, BUDGET) / CLAIMS) * ERROR
        looks.append(bool(seen > needed and seen >= MINIMUM))
    return looks


def test_a_year_without_progress_promotes_next_to_nothing() -> None:
    rng = np.random.default_rng(1)
    promoted = [sum(a_year(rng, np.zeros(365))) for _ in range(200)]
    assert np.mean(promoted) <= 0.5


def test_the_budget_alone_holds_without_any_minimum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.MINIMUM", -1.0)
    rng = np.random.default_rng(2)
    assert np.mean([sum(a_year(rng, np.zeros(365))) for _ in range(200)]) <= 0.5


def test_real_progress_is_promoted_within_few_nights_even_after_a_dry_half_year() -> None:
    rng = np.random.default_rng(3)
    waits = [a_year(rng, np.r_[np.zeros(180), np.full(10, 2 * MINIMUM)])[180:].index(True) for _ in range(100)]
    assert np.mean(waits) < 2


def test_few_promotions_are_for_nothing_in_a_mixed_year() -> None:
    rng = np.random.default_rng(4)
    wrong = right = 0
    for _ in range(100):
        effects = np.where(rng.random(365) < 0.05, 3 * MINIMUM, 0.0)
        looks = np.array(a_year(rng, effects))
        wrong, right = wrong + int(looks[effects == 0].sum()), right + int(looks[effects > 0].sum())
    assert wrong <= BUDGET * (wrong + right)
    assert right > 0.8 * 100 * 365 * 0.05
