"""The profiles that ship: what `defaults.toml` says is what a training can run."""

from __future__ import annotations

from pathlib import Path

import pytest

from bonsai.config.explain import explain_settings
from bonsai.config.settings import load_config
from bonsai.errors import ConfigError
from bonsai.gate.calibration import recipe_hash
from bonsai.model.bases import PHI_MODULES, Device, choose_profile
from bonsai.model.prompt import NATIVE, template
from bonsai.train.continual import NightBudget

MINE = """
[profiles.mine]
inherits = "cpu-small"
base = { name = "mine", model = "/models/mine", revision = "" }
recipe = { epochs = 4 }
"""
CONFIG = load_config(Path("/nonexistent"), {})


def test_the_four_profiles_are_there() -> None:
    assert sorted(CONFIG.profiles) == ["phi2-lora", "phi2-qlora", "seed-script", "seedling"]


@pytest.mark.parametrize("name", sorted(CONFIG.profiles))
def test_each_adapts_all_linear_maps_under_a_known_template(name: str) -> None:
    profile = CONFIG.profiles[name]

    assert profile.recipe.target_modules == (("all-linear",) if profile.inherits else PHI_MODULES)
    if profile.recipe.template != NATIVE:
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


def test_phi_profiles_inherit_the_values_that_were_theirs() -> None:
    small, large = CONFIG.profiles["phi2-qlora"], CONFIG.profiles["phi2-lora"]

    assert (small.inherits, large.inherits) == ("gpu-qlora", "gpu-lora")
    assert (small.base.name, small.base.quantisation, small.base.max_tokens) == ("phi-2", "nf4", 1024)
    assert (large.base.quantisation, large.base.compute_dtype) == ("none", "bfloat16")
    assert {small.recipe.template, large.recipe.template} == {"native"}
    # what these hashes cover names the calibrations of a home: a changed value would make them unusable
    assert recipe_hash(small.base, small.recipe)[:12] == "67e28be25200"
    assert recipe_hash(large.base, large.recipe)[:12] == "2c40e26da864"
    assert small.night == NightBudget(10_000_000, 30_000_000, 1e-4)
    assert large.night == NightBudget(60_000_000, 180_000_000, 1e-4)


def test_a_profile_of_three_lines_is_complete(tmp_path: Path) -> None:
    (tmp_path / "bonsai.toml").write_text(MINE, "utf-8")
    found = load_config(tmp_path, {}).profiles["mine"]

    assert (found.base.max_tokens, found.recipe.template, found.recipe.target_modules) == (
        512,
        "native",
        ("all-linear",),
    )
    assert found.recipe.epochs == 4, "the profile's own value goes before its kind's"
    assert found.night == NightBudget(300_000, 900_000, 5e-4)
    settings = {one.name: one for one in explain_settings(tmp_path, {}, "en", "profiles.mine")}
    assert {one.origin for one in settings.values()} == {str(tmp_path / "bonsai.toml")}
    assert settings["profiles.mine.recipe.epochs"].default is None
    inherited = {one.name: one for one in explain_settings(tmp_path, {}, "en", "profiles.phi2-qlora")}
    rank = inherited["profiles.phi2-qlora.recipe.lora_rank"]
    assert (rank.value, rank.default, rank.origin) == (16, 16, "")


def test_an_unknown_kind_is_answered_with_the_valid_ones(tmp_path: Path) -> None:
    (tmp_path / "bonsai.toml").write_text(MINE.replace("cpu-small", "cpu-smal"), "utf-8")
    with pytest.raises(ConfigError, match=r"mine.*cpu-smal.*Kinds: cpu-small, gpu-qlora, gpu-lora"):
        load_config(tmp_path, {})


def test_kinds_are_no_setting_of_a_home(tmp_path: Path) -> None:
    (tmp_path / "bonsai.toml").write_text("[kinds.cpu-small.recipe]\nepochs = 4\n", "utf-8")
    with pytest.raises(ConfigError, match="kinds"):
        load_config(tmp_path, {})
