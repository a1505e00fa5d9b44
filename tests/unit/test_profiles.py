"""The profiles that ship: what `defaults.toml` says is what a training can run."""

from __future__ import annotations

from pathlib import Path

import pytest

from bonsai.config.settings import load_config
from bonsai.errors import ConfigError
from bonsai.model.bases import PHI_MODULES, Device, choose_profile
from bonsai.model.prompt import template

CONFIG = load_config(Path("/nonexistent"), {})


def test_the_four_profiles_are_there() -> None:
    assert sorted(CONFIG.profiles) == ["phi2-lora", "phi2-qlora", "seed-script", "seedling"]


@pytest.mark.parametrize("name", sorted(CONFIG.profiles))
def test_each_adapts_all_six_modules_under_a_known_template(name: str) -> None:
    profile = CONFIG.profiles[name]

    assert profile.recipe.target_modules == PHI_MODULES
    assert template(profile.recipe.template).name == profile.recipe.template
    assert "paged" not in profile.recipe.optimiser
    assert profile.base.answer_tokens_ja > profile.base.answer_tokens_en


@pytest.mark.parametrize("free_gib", [0.0, 8.0, 80.0])
def test_auto_always_finds_a_profile_that_ships(free_gib: float) -> None:
    kind = "cuda" if free_gib else "cpu"

    assert choose_profile(CONFIG.training.profile, CONFIG.profiles, Device(kind, free_gib)) in CONFIG.profiles


def test_a_base_from_a_hub_is_pinned_to_a_commit() -> None:
    for profile in CONFIG.profiles.values():
        assert "/" not in profile.base.model or len(profile.base.revision) == 40


def test_an_unknown_key_of_a_recipe_is_an_error() -> None:
    with pytest.raises(ConfigError, match="lora_rnak"):
        load_config(Path("/nonexistent"), {"BONSAI_PROFILES__SEEDLING__RECIPE__LORA_RNAK": "8"})
