from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from killed_training import kill_at_step
from safetensors.torch import load_file

from bonsai.errors import LockTimeout, TrainingError
from bonsai.system.json_values import to_values
from bonsai.train.manifest import read_manifest
from bonsai.train.plan import TrainingPlan, TrainingProgress
from bonsai.train.qlora import train
from bonsai.train.trainer import ProcessTrainer


def ignore(_progress: TrainingProgress) -> None:
    """For tests that do not look at the progress."""


def start_worker(plan: TrainingPlan) -> subprocess.Popen[str]:
    plan_file = Path(plan.run_folder) / "plan.json"
    plan_file.write_text(json.dumps(to_values(plan)), "utf-8")
    return subprocess.Popen(
        [sys.executable, "-m", "bonsai.train.worker", str(plan_file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def test_killed_and_started_again_a_training_ends_as_if_nothing_had_happened(
    tiny_plan: TrainingPlan, tmp_path: Path
) -> None:
    elsewhere = replace(tiny_plan, run_folder=str(tmp_path / "other"), adapters_folder=str(tmp_path / "elsewhere"))
    undisturbed = train(elsewhere, ignore)

    kill_at_step(tiny_plan, 6)
    left = Path(tiny_plan.run_folder, "checkpoints")
    torn = left / "checkpoint-5"
    torn.mkdir()
    (torn / "adapter_model.safetensors").write_bytes(b"half")
    assert not Path(tiny_plan.adapters_folder).exists()

    seen: list[TrainingProgress] = []
    made = ProcessTrainer().train(tiny_plan, seen.append)

    assert seen[0].step == 5
    assert read_manifest(made.path).measured["resumed_from_step"] == 4
    assert [path.name for path in Path(tiny_plan.adapters_folder).iterdir()] == [made.id]
    before = load_file(undisturbed.path / "adapter_model.safetensors")
    after = load_file(made.path / "adapter_model.safetensors")
    assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in before)


def test_a_finished_run_answers_at_once_and_a_changed_plan_trains_anew(tiny_plan: TrainingPlan) -> None:
    first = ProcessTrainer().train(tiny_plan, ignore)
    log = Path(tiny_plan.run_folder, "log.txt").read_text("utf-8")
    told = [json.loads(line)["step"] for line in log.splitlines() if '"progress"' in line]
    assert told == list(range(1, tiny_plan.steps + 1))
    assert "gemm_4bit" not in log
    assert "Warning" not in log
    seen: list[TrainingProgress] = []

    assert ProcessTrainer().train(tiny_plan, seen.append) == first
    assert seen == []

    other = ProcessTrainer().train(replace(tiny_plan, seed=8), seen.append)
    assert other.id != first.id
    assert seen[0].step == 1


def test_the_workers_refusal_arrives_with_its_key_and_values(tiny_plan: TrainingPlan) -> None:
    lacking = replace(tiny_plan, recipe=replace(tiny_plan.recipe, target_modules=("gate_proj", "q_proj")))

    with pytest.raises(TrainingError) as caught:
        ProcessTrainer().train(lacking, ignore)

    assert caught.value.key == "training.module_without_adapter"
    assert caught.value.values == {"modules": "gate_proj", "layers": 2}


def test_two_workers_never_share_a_run(tiny_plan: TrainingPlan) -> None:
    patient = replace(tiny_plan, steps=2000)
    with start_worker(patient) as first:
        assert first.stdout is not None
        first.stdout.readline()
        with pytest.raises(LockTimeout):
            ProcessTrainer().train(patient, ignore)
        first.kill()
        first.communicate()
