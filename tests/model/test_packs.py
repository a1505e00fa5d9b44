"""Packed documents never see each other: by mask on any device, by borders where the kernel runs."""

from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bonsai.domain import snapshots
from bonsai.model import varlen
from bonsai.model.encoding import load_encoder
from bonsai.model.hf import load_model
from bonsai.model.prompt import CURRENT
from bonsai.train.plan import TrainingPlan
from bonsai.train.qlora import check_rows, ordered, with_lora
from bonsai.train.sft import BonsaiTrainer, hf_tokenizer, sft_config

ROOT = Path(__file__).parents[2]


def slow_varlen(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, borders: torch.Tensor, longest: int, scale: float | None
) -> torch.Tensor:
    """What the kernel computes, one document after the other: it has no form for CPUs."""
    assert longest >= int(borders.diff().max())
    return varlen.one_by_one(q, k, v, borders.diff().tolist(), scale)


@pytest.mark.parametrize("attention", ["sdpa", "varlen"])
def test_a_pack_has_the_loss_of_its_documents(
    tiny_plan: TrainingPlan, tiny_snapshot: snapshots.Snapshot, attention: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if attention == "varlen":
        monkeypatch.setattr(varlen, "causal_varlen", slow_varlen)
        monkeypatch.setattr(varlen, "why_not", lambda device: "")
    recipe = replace(tiny_plan.recipe, epochs=1, by_length=False)
    bare = load_model(tiny_plan.base, "cpu")
    model = with_lora(bare, tiny_plan).train()
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, generator=torch.Generator().manual_seed(1))
    encoder = load_encoder(Path(tiny_plan.base.model))
    rows = [encoder.example(CURRENT, row) for row in tiny_snapshot.train]
    check_rows(rows, tiny_plan.base.max_tokens)
    losses, labels, data = {}, {}, {}
    for packing in (False, True):
        plan = replace(tiny_plan, recipe=replace(recipe, packing=packing, batch_size=len(rows)))
        data[packing] = ordered(rows, tiny_snapshot, plan)
        trainer = BonsaiTrainer(
            model=model, args=sft_config(plan), train_dataset=data[packing], processing_class=hf_tokenizer(plan)
        )
        trainer.recipe = plan.recipe
        [batch] = list(trainer.get_train_dataloader())
        labels[packing] = int((batch["labels"] != -100).sum())
        with varlen.attention_for_packs(bare, "cpu") if packing else nullcontext():
            assert bare.config._attn_implementation == (attention if packing else "sdpa")
            losses[packing] = trainer.compute_loss(model, dict(batch)).item()

    assert len(data[True]) < len(data[False]) == len(rows)
    assert batch["input_ids"].shape[0] == 1
    assert labels[True] == labels[False]  # the mask of the completions is kept
    assert losses[True] == pytest.approx(losses[False], rel=1e-4)
    assert bare.config._attn_implementation == "sdpa"


def test_a_cpu_has_no_kernel_and_packs_by_mask(tiny_plan: TrainingPlan) -> None:
    model = load_model(tiny_plan.base, "cpu")

    assert "cpu" in varlen.why_not("cpu")
    with varlen.attention_for_packs(model, "cpu"):
        assert model.config._attn_implementation == "sdpa"


@pytest.mark.long
def test_the_gpu_benchmark_runs_anywhere_and_says_what_its_figures_are_worth() -> None:
    script = [sys.executable, str(ROOT / "benchmarks" / "gpu_training.py"), "--smoke", "--data", "/nonexistent"]

    done = subprocess.run(script, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "packing check, sdpa: differs by" in done.stdout
    assert "seed script: batch 2" in done.stdout
    if not torch.cuda.is_available():
        assert done.stdout.count("THESE ARE NOT THE FIGURES") == 2
        assert "packing check, varlen: left out, varlen_attn has no kernel for cpu" in done.stdout
