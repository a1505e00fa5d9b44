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
from bonsai.gate.calibration import Calibration, Twin

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


def test_twins_alone_tell_what_seeds_tell(profile: ProfileSettings) -> None:
    rng, base, recipe = np.random.default_rng(6), profile.base, profile.recipe
    for count in (3, 8):
        held = []
        for _ in range(1_000):
            pairs = rng.normal(0, 0.02, (count, 2))
            twins = [Twin(f"night-{n}", {"bits_fixed": float(a - b)}, NOW) for n, (a, b) in enumerate(pairs)]
            made = calibration.with_twins(None, twins, base, recipe, POLICY)
            assert made
            held.append(abs(rng.normal(0, 0.02) - rng.normal(0, 0.02)) < made.min_gain_bits)
        assert 0.955 <= np.mean(held) <= 0.995
        assert (made.seeds, made.twins, made.measured) == (count + 1, count, ("bits_fixed",))
        assert made.applied(POLICY).min_gain_right == POLICY.min_gain_right


def test_twins_keep_a_calibration_up_to_date(profile: ProfileSettings) -> None:
    base, recipe = profile.base, profile.recipe
    gains = differences(np.random.default_rng(7).normal(0, 0.02, 6))
    made = calibration.fit(base, recipe, {"bits_fixed": gains, "right_fixed": gains}, POLICY, NOW)
    assert calibration.with_twins(made, [], base, recipe, POLICY) is made
    spread = calibration.spread_of(made.min_gain_bits, 6)
    assert spread == pytest.approx(calibration.seed_spread(gains))
    alike = Twin("night", {"bits_fixed": 2**0.5 * spread}, NOW)
    known = calibration.with_twins(made, [alike], base, recipe, POLICY)
    assert known
    assert calibration.spread_of(known.min_gain_bits, 7) == pytest.approx(spread), "what it shows was known"
    assert known.min_gain_bits < made.min_gain_bits, "and one seed more knows it better"
    assert known.min_gain_right == made.min_gain_right, "which this twin was not asked about"
    far = calibration.with_twins(made, [replace(alike, gains={"bits_fixed": 0.5})], base, recipe, POLICY)
    assert far
    assert far.min_gain_bits > made.min_gain_bits


def test_the_twins_of_a_night_are_kept_once(profile: ProfileSettings, tmp_path: Path) -> None:
    base, recipe = profile.base, profile.recipe
    for gain in (0.1, 0.2):
        calibration.add_twin(tmp_path, base, recipe, Twin("night", {"bits_fixed": gain}, NOW))
    assert [one.gains["bits_fixed"] for one in calibration.read_twins(tmp_path, base, recipe)] == [0.2]
    assert calibration.with_twins(None, calibration.read_twins(tmp_path, base, recipe), base, recipe, POLICY) is None
    assert calibration.read_all(tmp_path) == []
