"""Heavy: trains a LoRA on a quantised base, from a snapshot to a finished adapter folder.

    train(plan, on_progress) -> AdapterFolder          (bonsai.train.worker runs it as its own process)

QLoRA (https://arxiv.org/abs/2305.14314) with TRL's SFTTrainer, plus checks for its silent failures: the loss mask, the
last label, a module without an adapter, bfloat16 LoRA weights, a non-finite loss, changed base weights, an adapter
without effect, an adapter that reloads differently.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast_object_list
from datasets import Dataset
from peft import (
    LoraConfig,
    get_peft_model,
    get_peft_model_state_dict,
    prepare_model_for_kbit_training,
    set_peft_model_state_dict,
)
from safetensors.torch import load_file
from transformers import PreTrainedModel, PrinterCallback, set_seed
from transformers.pytorch_utils import Conv1D

from bonsai.domain import snapshots
from bonsai.errors import IntegrityError, TrainingError
from bonsai.model import quiet_libraries
from bonsai.model.architecture import ALL_LINEAR, without_adapter
from bonsai.model.bases import model_folder
from bonsai.model.encoding import Encoded, load_encoder
from bonsai.model.hf import frozen_hash, load_model
from bonsai.model.native import template_of
from bonsai.model.varlen import attention_for_packs
from bonsai.train.checkpoints import last_complete
from bonsai.train.manifest import read_manifest
from bonsai.train.order import packed, training_order
from bonsai.train.plan import AdapterFolder, Recipe, TrainingPlan, TrainingProgress
from bonsai.train.saving import save
from bonsai.train.sft import (
    BonsaiTrainer,
    Reporter,
    device_of,
    hf_tokenizer,
    process_number,
    raising_out_of_memory,
    sft_config,
)


def train(plan: TrainingPlan, on_progress: Callable[[TrainingProgress], None]) -> AdapterFolder:
    """Run a plan to its end; after a kill it resumes from the last complete checkpoint.

    Raises TrainingError when the training refuses or stops itself; then no adapter folder appears.
    """
    if plan.threads:
        torch.set_num_threads(plan.threads)
    snapshot = snapshots.read(Path(plan.snapshot_folder))
    if snapshot.content_hash != plan.snapshot_hash:
        raise IntegrityError("training.other_snapshot", found=snapshot.id, planned=plan.snapshot_id)
    prompt_template = template_of(model_folder(plan.base), plan.recipe.template)
    encoder = load_encoder(model_folder(plan.base))
    rows = [
        replace(encoder.example(prompt_template, row), taught=row.role != "anchor" or not plan.recipe.kl_to_base)
        for row in snapshot.train
    ]
    held_out = [encoder.example(prompt_template, row) for row in snapshot.validation]
    check_rows((*rows, *held_out), plan.base.max_tokens)

    set_seed(plan.seed)  # before the LoRA weights are drawn
    started = time.monotonic()
    arguments = sft_config(plan)  # joins the other processes, if there are any
    with raising_out_of_memory(plan):
        bare = prepared(load_model(plan.base, device_of(plan)), plan)
        frozen_before = frozen_hash(bare)
        model = with_lora(bare, plan)
        trainer = BonsaiTrainer(
            model=model,
            args=arguments,
            train_dataset=ordered(rows, snapshot, plan),
            processing_class=hf_tokenizer(plan),
            callbacks=[Reporter(plan, on_progress)],
        )
        trainer.recipe = plan.recipe
        trainer.remove_callback(PrinterCallback)
        for weight in trained_weights(model):
            weight.data = weight.data.float()  # trl casts them to bfloat16 on a 4-bit base: small updates vanish
        if plan.parent:
            load_parent(model, plan)
        with arguments.main_process_first(desc="looking for checkpoints"):
            checkpoint = last_complete(Path(plan.run_folder) / "checkpoints", plan)
        packs = attention_for_packs(bare, device_of(plan)) if plan.recipe.packing else nullcontext()
        with quiet_libraries(), packs:
            outcome = trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
            evaluated = trainer.evaluate(to_dataset(held_out, plan.recipe)) if held_out else {}
    model.eval()

    check_trained(model, frozen_before)
    measured = {
        "train_loss": float(outcome.training_loss),
        "seconds": time.monotonic() - started,
        "steps": float(plan.steps),
        "resumed_from_step": float(checkpoint.name.rpartition("-")[2]) if checkpoint else 0.0,
    }
    if "eval_loss" in evaluated:
        measured["validation_loss"] = float(evaluated["eval_loss"])
    made = [save(plan, model, encoder, measured) if process_number() == 0 else None]
    folder: AdapterFolder = broadcast_object_list(made)[0]
    return folder


def check_rows(rows: Sequence[Encoded], max_tokens: int) -> None:
    """Refuse examples that do not fit: a truncated example teaches the model not to stop."""
    for row in rows:
        if len(row.input_ids) > max_tokens:
            raise TrainingError("training.example_too_long", tokens=len(row.input_ids), limit=max_tokens)
        if (row.taught and row.labels[-1] != row.end) or not row.response:
            raise TrainingError("training.no_end_label", label=row.labels[-1])


def to_dataset(rows: Sequence[Encoded], recipe: Recipe) -> Dataset:
    """Token ids with exact labels: trl trains on them as they are."""
    labels = [labels_of(row, recipe) for row in rows]
    return Dataset.from_dict({"input_ids": [row.input_ids for row in rows], "labels": labels})


def labels_of(row: Encoded, recipe: Recipe) -> list[int]:
    """The labels of a row, token by token."""
    return row.input_ids if recipe.learn_prompt and row.taught else row.labels


def ordered(rows: Sequence[Encoded], snapshot: snapshots.Snapshot, plan: TrainingPlan) -> Dataset:
    """The snapshot's rows as often and in the order in which they train, packed if the recipe says so.

    The planned steps end with the last pass; a pack or two more than planned would train at a rate near zero.
    """
    recipe = plan.recipe
    lengths = [len(row.input_ids) for row in rows]
    order = training_order(
        lengths,
        [index for index, row in enumerate(snapshot.train) if row.role == "anchor"],
        anchors_a_pass=snapshot.anchors_a_pass,
        replayed=[index for index, row in enumerate(snapshot.train) if row.role == "replay"],
        replayed_a_pass=snapshot.replayed_a_pass,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        by_length=recipe.by_length,
        seed=plan.seed,
    )
    if not recipe.packing:
        return to_dataset(rows, recipe).select(order)
    packs = [[rows[index] for index in pack] for pack in packed(order, lengths, plan.base.max_tokens)]
    return Dataset.from_dict(
        {
            "input_ids": [[token for row in pack for token in row.input_ids] for pack in packs],
            "labels": [[label for row in pack for label in labels_of(row, recipe)] for pack in packs],
            "seq_lengths": [[len(row.input_ids) for row in pack] for pack in packs],  # the collator's positions
        }
    )


def prepared(model: PreTrainedModel, plan: TrainingPlan) -> PreTrainedModel:
    """The base, prepared for LoRA as the recipe says."""
    if not plan.recipe.prepare_kbit:
        return model
    made: PreTrainedModel = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)  # trl switches it
    return made


def with_lora(model: PreTrainedModel, plan: TrainingPlan) -> Any:
    """Add a fresh LoRA. peft only complains when *no* module matches, so all are counted."""
    recipe = plan.recipe
    all_linear = recipe.target_modules == (ALL_LINEAR,)
    config = LoraConfig(
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        target_modules=ALL_LINEAR if all_linear else list(recipe.target_modules),
        fan_in_fan_out=any(isinstance(one, Conv1D) for one in model.modules()),  # GPT-2 keeps its maps transposed
        task_type="CAUSAL_LM",
    )
    with quiet_libraries():
        wrapped = get_peft_model(model, config)
    if all_linear:
        if missed := without_adapter(wrapped):
            raise TrainingError("training.map_without_adapter", modules=", ".join(missed))
        return wrapped
    adapted = [name.split(".")[-2] for name, _ in wrapped.named_modules() if name.endswith(".lora_A")]
    layers = model.config.get_text_config().num_hidden_layers
    missing = [module for module in recipe.target_modules if adapted.count(module) != layers]
    if missing:
        raise TrainingError("training.module_without_adapter", modules=", ".join(missing), layers=layers)
    return wrapped


def trained_weights(model: torch.nn.Module) -> list[torch.nn.Parameter]:
    """The trainable weights. Raises TrainingError when one is not a LoRA weight."""
    moving = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    if not moving or any("lora_" not in name for name in moving):
        raise TrainingError("training.base_moved")
    return list(moving.values())


def check_trained(model: Any, frozen_before: str) -> None:
    """Refuse an adapter with a non-finite weight, without effect, or with changed base weights."""
    lora = {name: weight for name, weight in model.named_parameters() if "lora_" in name}
    broken = [name for name, weight in lora.items() if not torch.isfinite(weight).all()]
    if broken:
        raise TrainingError("training.weights_not_finite", modules=", ".join(broken[:3]))
    if frozen_hash(model) != frozen_before:
        raise TrainingError("training.base_moved")
    if not any(weight.any() for name, weight in lora.items() if "lora_B" in name):
        raise TrainingError("training.no_effect")


def load_parent(model: Any, plan: TrainingPlan) -> None:
    """Give the model the weights of `plan.parent`.

    Raises IntegrityError when the parent was altered or is not whole, TrainingError when its weights are not those of
    this model's adapter, one for one.
    """
    folder = Path(plan.adapters_folder) / plan.parent
    if read_manifest(folder).adapter_id != plan.parent:
        raise IntegrityError("training.adapter_altered", folder=folder, file="passport.json")
    weights = load_file(folder / "adapter_model.safetensors")
    fresh = get_peft_model_state_dict(model)
    if {name: tuple(one.shape) for name, one in weights.items()} != {
        name: tuple(one.shape) for name, one in fresh.items()
    }:
        raise TrainingError("training.other_parent", parent=plan.parent)
    set_peft_model_state_dict(model, weights)
    loaded = get_peft_model_state_dict(model)
    if not all(torch.equal(loaded[name].cpu(), one.to(loaded[name].dtype)) for name, one in weights.items()):
        raise TrainingError("training.other_parent", parent=plan.parent)
