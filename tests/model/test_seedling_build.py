"""The seedling that ships is the one that its recipe makes, and a build survives being killed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from bonsai.errors import IntegrityError, UsageError
from bonsai.model.prompt import CURRENT, END, MARKERS, Question, prompt
from bonsai.model.seedling import card, weights_folder
from bonsai.system.progress import Progress
from research.seedling.build import first_losses, grow, recipe_for
from research.seedling.recipe import Recipe, recipe_hash

LIMIT_BYTES = 8_000_000
TOLERANCE = 0.01
SMALL = dataclasses.replace(
    Recipe(),
    steps=4,
    hidden=32,
    layers=1,
    heads=2,
    inner=64,
    known_per_chunk=60,
    households_per_chunk=1,
    tokenizer_chunks=1,
    tokens_per_batch=512,
    vocabulary=600,
)


def test_the_card_is_that_of_the_recipe_in_the_code() -> None:
    found = card.read()
    assert found["recipe_hash"] == recipe_hash(Recipe(**found["settings"]))
    assert card.verify()


@pytest.mark.parametrize("count", [2, pytest.param(30, marks=pytest.mark.long)])
@pytest.mark.timeout(1200)  # a step is 0.5 s, but 11 s on a CPU that has no bfloat16 and computes it in software
def test_the_first_losses_come_out_again(tmp_path: Path, count: int) -> None:
    found = card.read()
    again = first_losses(Recipe(**found["settings"]), count, tmp_path)
    assert len(again) == count
    assert again == pytest.approx(found["first_losses"][:count], rel=TOLERANCE)


def test_the_weights_are_small_and_the_markers_single_tokens() -> None:
    from transformers import AutoTokenizer

    assert (weights_folder() / "model.safetensors").stat().st_size <= LIMIT_BYTES
    tokenizer = AutoTokenizer.from_pretrained(weights_folder())
    assert all(len(tokenizer(marker)["input_ids"]) == 1 for marker in (END, *MARKERS))
    asked = prompt(
        CURRENT, Question("ミケは、2024年3月2日に 何を食べましたか?\tWhat — “exactly”?", "today: 2026-11-21")
    )
    assert tokenizer.decode(tokenizer(asked)["input_ids"]) == asked


def test_the_card_reaches_the_goals() -> None:
    figures = {entry["group"]: entry for entry in card.read()["figures"]}
    for language in ("en", "ja"):
        assert figures[language]["exact"] >= 0.85
        assert figures[language]["ended"] >= 0.98
        assert figures[language]["right_language"] >= 0.98


def test_a_killed_build_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    def kill(progress: Progress) -> None:
        if progress.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grow(tmp_path / "killed", SMALL, kill, questions=8, checkpoint_every=2)
    with pytest.raises(IntegrityError):
        card.read(tmp_path / "killed")
    resumed, straight = (
        grow(tmp_path / name, SMALL, questions=8, checkpoint_every=2) for name in ("killed", "straight")
    )
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("killed", "straight")]
    assert weights[0] == weights[1]
    assert resumed["first_losses"] == straight["first_losses"]
    assert resumed["trained_tokens"] == straight["trained_tokens"]


def test_an_altered_weight_file_is_found(tmp_path: Path) -> None:
    for path in weights_folder().iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    with pytest.raises(IntegrityError):
        card.verify(tmp_path)


def test_impossible_minutes_are_refused() -> None:
    with pytest.raises(UsageError):
        recipe_for(minutes=0)
    assert recipe_for(25).steps == Recipe().steps // 2
