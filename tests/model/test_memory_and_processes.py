"""Memory that runs out once, packed documents, and a training shared by two processes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from bonsai.errors import OutOfMemory
from bonsai.train.manifest import read_manifest
from bonsai.train.plan import TrainingPlan, TrainingProgress
from bonsai.train.qlora import train
from bonsai.train.trainer import ProcessTrainer

pytestmark = pytest.mark.long

FAULTY_WORKER = """
import sys
import torch
from bonsai.system.processes import serve
from bonsai.train.worker import work

def faulty(file, emit):
    def emit_or_fail(event):
        if event.get("step") == 6 and event["batch_parts"] in {parts}:
            {fault}
        emit(event)
    return work(file, emit_or_fail)

sys.exit(serve(faulty))
"""
"""The real worker, but for the device: at step 6 there is no memory left for batches of that size."""
GPU_FAULT = 'raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")'
CPU_FAULT = "torch.empty(2**60)"


def ignore(_progress: TrainingProgress) -> None:
    """For tests that do not look at the progress."""


def elsewhere(plan: TrainingPlan, folder: Path) -> TrainingPlan:
    return replace(plan, run_folder=str(folder / "run"), adapters_folder=str(folder / "adapters"))


def largest_difference(one: Path, other: Path) -> float:
    left, right = (load_file(folder / "adapter_model.safetensors") for folder in (one, other))
    assert left.keys() == right.keys()
    return max(float((left[name] - right[name]).abs().max()) for name in left)


@pytest.fixture
def install_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "faulty_worker.py"


@pytest.mark.parametrize("fault", [GPU_FAULT, CPU_FAULT])
def test_memory_that_runs_out_halves_the_batch_once_and_goes_on(
    tiny_plan: TrainingPlan, tmp_path: Path, install_worker: Path, fault: str
) -> None:
    undisturbed = train(elsewhere(tiny_plan, tmp_path / "other"), ignore)
    install_worker.write_text(FAULTY_WORKER.format(parts={1}, fault=fault))
    seen: list[TrainingProgress] = []

    made = ProcessTrainer(worker="faulty_worker").train(tiny_plan, seen.append)

    assert [(one.step, one.batch_parts) for one in seen] == [(s, 1) for s in range(1, 6)] + [
        (s, 2) for s in range(5, tiny_plan.steps + 1)
    ]
    manifest = read_manifest(made.path)
    assert manifest.plan["batch_parts"] == 2
    assert manifest.measured["resumed_from_step"] == 4
    log = Path(tiny_plan.run_folder, "log.txt").read_text("utf-8")
    [told] = [json.loads(line) for line in log.splitlines() if '"out_of_memory"' in line]
    assert (told["batch"], told["batch_from_now_on"]) == (4, 2)
    assert largest_difference(undisturbed.path, made.path) < 1e-4  # the same examples a step


def test_memory_that_runs_out_twice_is_told_with_advice(tiny_plan: TrainingPlan, install_worker: Path) -> None:
    install_worker.write_text(FAULTY_WORKER.format(parts={1, 2}, fault=GPU_FAULT))

    with pytest.raises(OutOfMemory, match="max_tokens") as caught:
        ProcessTrainer(worker="faulty_worker").train(tiny_plan, ignore)

    assert caught.value.values["batch"] == 2
    assert not Path(tiny_plan.adapters_folder).exists()


def test_two_processes_learn_what_one_learns(tiny_plan: TrainingPlan, tmp_path: Path) -> None:
    """With plain gradient descent, so that equal weights are equal gradients (Adam forgets their size)."""
    recipe = replace(tiny_plan.recipe, optimiser="sgd", learning_rate=1.0, checkpoint_steps=3)
    plan = replace(tiny_plan, recipe=recipe, steps=6)
    first, alone = (train(elsewhere(replace(plan, steps=end), tmp_path / f"{end}"), ignore) for end in (2, 6))
    shared = replace(elsewhere(plan, tmp_path / "shared"), processes=2)
    Path(shared.run_folder).mkdir(parents=True)
    seen: list[TrainingProgress] = []

    made = ProcessTrainer().train(shared, seen.append)

    assert [progress.step for progress in seen] == [1, 2, 3, 4, 5, 6]  # told once, by the first process
    assert read_manifest(made.path).plan["processes"] == 2
    assert [path.name for path in Path(shared.adapters_folder).iterdir()] == [made.id]
    assert largest_difference(alone.path, made.path) < 1e-5 < 1e-2 < largest_difference(alone.path, first.path)
    log = Path(shared.run_folder, "log.txt").read_text("utf-8")
    assert "Traceback" not in log


def test_a_packed_training_gives_the_loss_of_an_unpacked_one(tiny_plan: TrainingPlan, tmp_path: Path) -> None:
    """One step over the same documents: the labels, their positions and who sees whom are the same."""
    losses, weights = [], []
    for packing in (False, True):
        plan = elsewhere(tiny_plan, tmp_path / f"{packing}")
        recipe = replace(plan.recipe, packing=packing, by_length=False, epochs=1, batch_size=12, warmup_share=0.0)
        seen: list[TrainingProgress] = []
        made = train(replace(plan, recipe=recipe, steps=1), seen.append)
        losses.append(seen[0].loss)
        weights.append(made.path)

    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert largest_difference(*weights) < 1e-4


def test_a_killed_packed_training_sees_the_same_packs(tiny_plan: TrainingPlan, tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    def kill(progress: TrainingProgress) -> None:
        if progress.step == 5:
            raise Killed

    recipe = replace(tiny_plan.recipe, packing=True, by_length=False, epochs=8, batch_size=2, checkpoint_steps=4)
    plan = replace(tiny_plan, recipe=recipe, steps=8)
    undisturbed = train(elsewhere(plan, tmp_path / "other"), ignore)
    with pytest.raises(Killed):
        train(plan, kill)

    resumed = train(plan, ignore)

    assert read_manifest(resumed.path).measured["resumed_from_step"] == 4
    assert torch.tensor(largest_difference(undisturbed.path, resumed.path)) < 1e-6
