"""The bootstrap's promises, held against simulated worlds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t

from bonsai.evaluate.statistics import Bootstrap, Estimate, Sample, difference, estimate, holm, winsorise

BOOTSTRAP = Bootstrap(resamples=600, seed=1, min_clusters=30, min_stratum_clusters=10)


def facts(rng: np.random.Generator, count: int, mean: float = 0.0) -> tuple[list[float], list[str], list[str]]:
    """Skewed facts, each asked twice in Japanese and once in English: related, and unequally many."""
    values, clusters, languages = [], [], []
    for fact in range(count):
        shared = rng.gamma(1.0, 1.0) - 1.0
        for language in ("ja", "ja", "en"):
            values.append(mean + shared + rng.normal(0, 0.3))
            clusters.append(f"f{fact}")
            languages.append(language)
    return values, clusters, languages


def made(values: list[float], clusters: list[str], languages: list[str], **options: bool) -> Estimate:
    found = estimate(values, clusters, languages, BOOTSTRAP, **options)
    assert found is not None
    return found


def test_the_one_sided_bounds_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(11)
    worlds = [made(*facts(rng, 40)) for _ in range(150)]
    above = sum(found.lower(0.05) > 0 for found in worlds) / len(worlds)
    below = sum(found.upper(0.05) < 0 for found in worlds) / len(worlds)
    assert above <= 0.10
    assert 0.005 <= below <= 0.12, "as if items were independent this would be about 0.2"


def test_the_p_value_agrees_with_the_bound() -> None:
    rng = np.random.default_rng(12)
    for _ in range(30):
        found = made(*facts(rng, 40, mean=0.2))
        if abs(found.lower(0.05)) > 0.01:
            assert (found.p_above() < 0.05) == (found.lower(0.05) > 0)
        if abs(found.upper(0.05)) > 0.01:
            assert (found.p_below() < 0.05) == (found.upper(0.05) < 0)


def test_languages_weigh_the_same_however_many_questions_they_have() -> None:
    clusters = [f"f{number}" for number in range(40)]
    values = [1.0] * 40 + [0.0] * 80
    found = made(values, clusters * 3, ["ja"] * 40 + ["en"] * 80)
    assert found.mean == pytest.approx(0.5)


def test_a_handful_of_items_in_one_language_does_not_weigh_a_half() -> None:
    clusters = [f"f{number}" for number in range(43)]
    found = made([0.0] * 40 + [5.0] * 3, clusters, ["ja"] * 40 + ["en"] * 3)
    assert found.mean == pytest.approx(15 / 43)


def test_paraphrases_of_one_fact_are_one_piece_of_evidence() -> None:
    rng = np.random.default_rng(5)
    shifts = rng.normal(0.1, 1.0, 40)
    once = made(list(shifts), [f"f{n}" for n in range(40)], ["ja"] * 40)
    often = made(list(np.repeat(shifts, 10)), [f"f{n}" for n in range(40) for _ in range(10)], ["ja"] * 400)
    assert often.standard_error == pytest.approx(once.standard_error)


def test_too_few_facts_give_no_interval() -> None:
    assert estimate([1.0] * 290, [f"f{n % 29}" for n in range(290)], ["ja"] * 290, BOOTSTRAP) is None
    assert estimate([], [], [], BOOTSTRAP) is None


def test_the_same_seed_gives_the_same_interval() -> None:
    world = facts(np.random.default_rng(3), 40)
    assert made(*world).lower(0.05) == made(*world).lower(0.05)


def test_no_changed_answer_is_not_certainty() -> None:
    clusters = [f"f{n}" for n in range(40)]
    found = made([0.0] * 40, clusters, ["ja"] * 40, matched_proportions=True)
    assert found.mean == 0.0
    assert found.lower(0.05) < -0.02
    assert found.upper(0.05) > 0.02


def test_equal_differences_have_no_spread() -> None:
    found = made([0.5] * 40, [f"f{n}" for n in range(40)], ["ja"] * 40)
    assert found.lower(0.05) == found.mean == found.upper(0.05)
    assert found.p_above() < 0.01
    assert found.p_below() > 0.9


def test_winsorising_pulls_in_one_wild_item() -> None:
    values = np.append(np.zeros(99), 100.0)
    assert winsorise(values, 0.02).max() < 100.0
    assert winsorise(values, 0.0).max() == 100.0
    assert winsorise(np.array([]), 0.1).size == 0


def test_holm_rejects_step_by_step() -> None:
    assert holm([0.01, 0.04, 0.03], 0.05) == [True, False, False]
    assert holm([0.01, 0.02, 0.04], 0.05) == [True, True, True]
    assert holm([0.03, 0.2], 0.05) == [False, False]
    assert holm([], 0.05) == []


@pytest.mark.parametrize("level", [0.0005, 0.00002])
def test_levels_beyond_the_resamples_follow_the_normal_distribution(level: float) -> None:
    rng = np.random.default_rng(9)
    many = Bootstrap(resamples=4_000, seed=1, min_clusters=30, min_stratum_clusters=10)
    worlds = [estimate(rng.normal(0, 1, 200), [f"f{n}" for n in range(200)], ["ja"] * 200, many) for _ in range(20)]
    needed = float(np.mean([found.quantile(1 - level) for found in worlds if found]))
    assert needed == pytest.approx(t.isf(level, 199), rel=0.06)
    assert all(found and found.lower(level) < found.lower(0.0025) < found.lower(0.05) for found in worlds)
    assert all(found and found.upper(level) > found.upper(0.0025) > found.upper(0.05) for found in worlds)


def test_the_difference_of_two_samples_covers_the_truth() -> None:
    rng = np.random.default_rng(21)
    above, errors = 0, []
    for _ in range(150):
        found = difference(Sample(*facts(rng, 50, mean=0.3)), Sample(*facts(rng, 35, mean=0.3)), BOOTSTRAP)
        assert found is not None
        above += found.lower(0.05) > 0
        errors.append(found.standard_error)
    assert 0.01 <= above / 150 <= 0.10
    assert np.mean(errors) == pytest.approx(np.sqrt(1.045 * (1 / 50 + 1 / 35)), rel=0.1)


def test_the_difference_is_of_the_two_means_and_has_welch_degrees() -> None:
    rng = np.random.default_rng(22)
    one, other = facts(rng, 40, mean=0.5), facts(rng, 40)
    found = difference(Sample(*one), Sample(*other), BOOTSTRAP)
    assert found is not None
    assert found.mean == pytest.approx(made(*one).mean - made(*other).mean)
    assert found.standard_error == pytest.approx(np.hypot(made(*one).standard_error, made(*other).standard_error))
    assert 39 <= found.degrees <= 78
    twin = difference(Sample(*one), Sample(*one), BOOTSTRAP)
    assert twin is not None
    assert np.ptp(twin.studentised) > 1, "the two samples are not drawn alike"
    assert difference(Sample(*one), Sample(*facts(rng, 29)), BOOTSTRAP) is None


@pytest.mark.parametrize("control", [20, 33])
def test_a_difference_from_20_skewed_control_facts_errs_as_one_from_33(control: int) -> None:
    rng = np.random.default_rng(23)
    bootstrap = replace(BOOTSTRAP, min_control_clusters=20)

    def skewed(count: int) -> Sample:
        shared = rng.gamma(0.8, 1, (count, 1)) - 0.8
        values = shared + rng.normal(0, 0.3, (count, 2))
        return Sample(values.ravel(), [f"f{n // 2}" for n in range(2 * count)], ["ja", "en"] * count)

    above = 0
    for _ in range(200):
        found = difference(skewed(50), skewed(control), bootstrap)
        assert found is not None
        above += found.lower(0.05) > 0
    assert 0.02 <= above / 200 <= 0.11
    assert difference(skewed(50), skewed(19), bootstrap) is None
    assert difference(skewed(29), skewed(control), bootstrap) is None
