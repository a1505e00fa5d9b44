"""Warm nights, really trained."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import torch
from killed_training import kill_at_step
from safetensors.torch import load_file, save_file

from bonsai.config.settings import load_config
from bonsai.domain import snapshots
from bonsai.domain.snapshots import Example, Snapshot
from bonsai.errors import IntegrityError, TrainingError
from bonsai.model.bases import model_folder
from bonsai.model.encoding import load_encoder
from bonsai.model.prompt import CURRENT
from bonsai.train.manifest import read_manifest
from bonsai.train.plan import AdapterFolder, TrainingPlan, TrainingProgress, make_plan
from bonsai.train.qlora import train
from bonsai.train.trainer import ProcessTrainer


def ignore(_progress: TrainingProgress) -> None:
    """For tests that do not look at the progress."""


@pytest.fixture
def parent(tiny_plan: TrainingPlan) -> AdapterFolder:
    return train(tiny_plan, ignore)


def warm_plan(cold: TrainingPlan, parent: AdapterFolder, snapshot: Snapshot, run: Path) -> TrainingPlan:
    """A night that starts from `parent`; its snapshot holds what the parent knows, and one new record."""
    encoder = load_encoder(model_folder(cold.base))
    reasoning = "The question is in English; answer in English."
    new = Example("new", "own", "Where does Kai sleep?", "", reasoning, "open_qa", "en", "Kai sleeps in the hall.")
    made = snapshots.build(
        [new],
        [],
        seed=1,
        validation_share=0.0,
        anchor_share=0.5,
        count_tokens=lambda row: encoder.tokens(CURRENT, row),
        max_tokens=cold.base.max_tokens,
        replay=[replace(row, role="replay") for row in snapshot.train],
        replayed_a_pass=len(snapshot.train) // cold.recipe.epochs,
    )
    run.mkdir(parents=True)
    created_at = datetime.fromisoformat(cold.created_at)
    return make_plan(
        "tiny",
        cold.base,
        cold.recipe,
        snapshots.write(made, run.parent / "warm-snapshot", created_at),
        device="cpu",
        threads=1,
        seed=7,
        run_folder=run,
        adapters_folder=Path(cold.adapters_folder),
        created_at=created_at,
        parent=parent.id,
        depth=1,
    )


@pytest.fixture
def warm(tiny_plan: TrainingPlan, parent: AdapterFolder, tiny_snapshot: Snapshot, tmp_path: Path) -> TrainingPlan:
    return warm_plan(tiny_plan, parent, tiny_snapshot, tmp_path / "runs" / "warm")


def losses(plan: TrainingPlan) -> tuple[AdapterFolder, list[float]]:
    seen: list[TrainingProgress] = []
    made = train(plan, seen.append)
    return made, [progress.loss for progress in seen]


def test_a_warm_night_starts_where_its_parent_ended(
    tiny_plan: TrainingPlan, tiny_snapshot: Snapshot, tmp_path: Path
) -> None:
    seedling = load_config(tmp_path, {}).profiles["seedling"]  # the tiny base can hardly learn
    cold = replace(tiny_plan, base=seedling.base, recipe=replace(seedling.recipe, batch_size=4, epochs=3), steps=24)
    parent = train(cold, ignore)
    warm = replace(warm_plan(cold, parent, tiny_snapshot, tmp_path / "runs" / "warm"), steps=3)

    made, from_parent = losses(warm)
    _, from_base = losses(replace(warm, parent="", depth=0, run_folder=str(tmp_path / "cold")))

    assert from_parent[0] < 0.5 * from_base[0]  # the very same examples
    manifest = read_manifest(made.path)
    assert (manifest.parent, manifest.depth) == (parent.id, 1)


def test_with_no_rate_to_speak_of_the_parents_weights_stay_what_they_are(
    warm: TrainingPlan, parent: AdapterFolder
) -> None:
    still = replace(warm, recipe=replace(warm.recipe, learning_rate=1e-12))

    made = train(still, ignore)

    before, after = (load_file(folder / "adapter_model.safetensors") for folder in (parent.path, made.path))
    assert before.keys() == after.keys()
    assert all(torch.allclose(before[name], after[name], atol=1e-8) for name in before)


def test_a_killed_warm_night_goes_on_and_ends_the_same(
    warm: TrainingPlan, parent: AdapterFolder, tmp_path: Path
) -> None:
    warm = replace(warm, steps=9)
    shutil.copytree(parent.path, tmp_path / "elsewhere" / parent.id)
    elsewhere = replace(warm, run_folder=str(tmp_path / "other"), adapters_folder=str(tmp_path / "elsewhere"))
    undisturbed = train(elsewhere, ignore)
    kill_at_step(warm, 6)

    made = ProcessTrainer().train(warm, ignore)

    assert read_manifest(made.path).measured["resumed_from_step"] == 4
    before, after = (load_file(one.path / "adapter_model.safetensors") for one in (undisturbed, made))
    assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in before)


def test_a_parent_of_another_shape_is_refused(warm: TrainingPlan) -> None:
    with pytest.raises(TrainingError) as caught:
        train(replace(warm, recipe=replace(warm.recipe, lora_rank=2)), ignore)

    assert caught.value.key == "training.other_parent"


def test_an_altered_parent_is_refused(warm: TrainingPlan, parent: AdapterFolder) -> None:
    weights = load_file(parent.path / "adapter_model.safetensors")
    save_file({name: one + 1 for name, one in weights.items()}, parent.path / "adapter_model.safetensors")

    with pytest.raises(IntegrityError):
        train(warm, ignore)


def test_another_adapter_in_the_parents_place_is_refused(warm: TrainingPlan, parent: AdapterFolder) -> None:
    parent.path.rename(parent.path.with_name("0" * 16))

    with pytest.raises(IntegrityError):
        train(replace(warm, parent="0" * 16), ignore)
