"""The smallest gains that count: fitted on seeds, kept for one base and recipe, and put into the policy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted import default_policy, world
from pydantic import TypeAdapter

from bonsai.config.layers import read_layers
from bonsai.config.settings import ProfileSettings
from bonsai.gate import calibration
from bonsai.gate.calibration import Calibration

POLICY = default_policy()
NOW = "2026-11-29T22:00:00+00:00"


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> ProfileSettings:
    values = read_layers(tmp_path_factory.mktemp("home"), {}).values["profiles"]["seedling"]  # type: ignore[index]
    return TypeAdapter(ProfileSettings).validate_python(values)


def differences(effects: np.ndarray) -> np.ndarray:
    """Gains of each seed over each other."""
    gains = effects[:, None] - effects[None, :]
    np.fill_diagonal(gains, np.nan)
    return gains


def test_97_of_100_further_pairs_stay_below_a_fitted_minimum() -> None:
    rng = np.random.default_rng(5)
    held = []
    for _ in range(2_000):
        gains = differences(rng.normal(0, 1, 6))
        minimum = calibration.predicted_minimum(calibration.seed_spread(gains), 6)
        held.append(abs(rng.normal(0, 1) - rng.normal(0, 1)) < minimum)
    assert 0.965 <= np.mean(held) <= 0.985


def test_seeds_of_one_recipe_are_compared_beyond_control(profile: ProfileSettings) -> None:
    fixed = [world(seed) for seed in range(20, 26)]
    own = {"own": 40}
    personal = [world(seed, pool="suite", facts=own) for seed in range(30, 36)]
    gains = calibration.seed_gains(fixed, personal, POLICY)
    assert set(gains) == set(calibration.MINIMA)
    assert np.allclose(gains["bits_fixed"], -gains["bits_fixed"].T, equal_nan=True)
    made = calibration.fit(profile.base, profile.recipe, gains, POLICY, NOW)
    assert (made.base, made.seeds, made.made_at) == ("seedling", 6, NOW)
    assert 0 < made.min_gain_bits < 0.1
    assert made.min_gain_right == 0.0, "these worlds all know the same"
    applied = made.applied(POLICY)
    assert applied == replace(
        POLICY,
        min_gain_bits=made.min_gain_bits,
        min_suite_gain_bits=made.min_suite_gain_bits,
        min_gain_right=made.min_gain_right,
        min_suite_gain_right=made.min_suite_gain_right,
    )


def test_without_a_personal_set_its_minima_stay(profile: ProfileSettings) -> None:
    gains = calibration.seed_gains([world(seed) for seed in range(20, 24)], [], POLICY)
    made = calibration.fit(profile.base, profile.recipe, gains, POLICY, NOW)
    assert made.min_suite_gain_bits == POLICY.min_suite_gain_bits
    assert made.measured == ("bits_fixed", "right_fixed")
    assert made.applied(replace(POLICY, min_suite_gain_bits=0.5)).min_suite_gain_bits == 0.5, "the settings' of tonight"
    assert made.min_gain_bits != POLICY.min_gain_bits
    with pytest.raises(ValueError, match="at least 3"):
        calibration.fit(profile.base, profile.recipe, {"bits_fixed": np.zeros((2, 2))}, POLICY, NOW)


def test_a_calibration_is_found_again_for_its_base_and_recipe_alone(profile: ProfileSettings, tmp_path: Path) -> None:
    base, recipe = profile.base, profile.recipe
    made = Calibration("seedling", calibration.recipe_hash(base, recipe), 6, 0.01, 0.02, 0.03, 0.04, NOW)
    home, shipped = tmp_path / "home", tmp_path / "shipped"
    assert calibration.find((home, shipped), base, recipe) is None
    calibration.write(shipped, replace(made, seeds=3))
    assert calibration.find((home, shipped), base, recipe) == replace(made, seeds=3)
    calibration.write(home, made)
    assert calibration.find((home, shipped), base, recipe) == made, "the home's own goes first"
    assert calibration.find((home, shipped), base, replace(recipe, epochs=1)) is None
    assert calibration.find((home, shipped), replace(base, quantisation="none"), recipe) is None
