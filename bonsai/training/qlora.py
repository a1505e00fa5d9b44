"""Heavy: trains a LoRA on a quantised base, from a snapshot to a finished adapter folder. Reads top to bottom.

    train(plan, on_progress) -> AdapterFolder          (bonsai.training.worker runs it as its own process)

QLoRA (https://arxiv.org/abs/2305.14314) through TRL's SFTTrainer, with what silently goes wrong there made loud:
the loss mask, the last label, a module without an adapter, bfloat16 LoRA weights, a non-finite loss, a base that
moved, an adapter that does nothing, an adapter that reloads as something else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from torch.nn.functional import cross_entropy
from transformers import (
    PreTrainedModel,
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from trl import SFTConfig, SFTTrainer

from bonsai import snapshots
from bonsai.errors import IntegrityError, TrainingError
from bonsai.model.bases import model_folder
from bonsai.model.encoding import IGNORED, Encoded, load_encoder
from bonsai.model.hf import frozen_hash, load_model
from bonsai.model.prompt import template
from bonsai.model.quiet import quiet_libraries
from bonsai.training.checkpoints import last_complete, mark_complete
from bonsai.training.order import training_order
from bonsai.training.plan import AdapterFolder, Progress, TrainingPlan
from bonsai.training.saving import save


def train(plan: TrainingPlan, on_progress: Callable[[Progress], None]) -> AdapterFolder:
    """Run a plan to its end. Started again after a kill, it goes on from its last whole checkpoint.

    Raises TrainingError when the training refuses or stops itself; then no adapter folder appears.
    """
    if plan.threads:
        torch.set_num_threads(plan.threads)
    snapshot = snapshots.read(Path(plan.snapshot_folder))
    if snapshot.content_hash != plan.snapshot_hash:
        raise IntegrityError("training.other_snapshot", found=snapshot.id, planned=plan.snapshot_id)
    prompt_template = template(plan.recipe.template)
    encoder = load_encoder(model_folder(plan.base))
    rows = [encoder.example(prompt_template, row) for row in snapshot.train]
    held_out = [encoder.example(prompt_template, row) for row in snapshot.validation]
    check_rows((*rows, *held_out), plan.base.max_tokens)

    set_seed(plan.seed)  # before the LoRA weights are drawn
    bare = load_model(plan.base, plan.device)
    frozen_before = frozen_hash(bare)
    model = with_lora(bare, plan)
    started = time.monotonic()
    trainer = BonsaiTrainer(
        model=model,
        args=sft_config(plan),
        train_dataset=ordered(rows, snapshot, plan),
        processing_class=hf_tokenizer(plan),
        callbacks=[_Reporter(plan, on_progress)],
    )
    trainer.remove_callback(PrinterCallback)
    for weight in trained_weights(model):
        weight.data = weight.data.float()  # trl casts them to bfloat16 on a 4-bit base: small updates vanish
    checkpoint = last_complete(Path(plan.run_folder) / "checkpoints", plan)
    with quiet_libraries():
        outcome = trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        evaluated = trainer.evaluate(to_dataset(held_out)) if held_out else {}
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
    return save(plan, model, encoder, measured)


def check_rows(rows: Sequence[Encoded], max_tokens: int) -> None:
    """Refuse what could not be learned whole: a cut example teaches the model not to stop."""
    for row in rows:
        if len(row.input_ids) > max_tokens:
            raise TrainingError("training.example_too_long", tokens=len(row.input_ids), limit=max_tokens)
        if row.labels[-1] != row.end or not row.response:
            raise TrainingError("training.no_end_label", label=row.labels[-1])


def to_dataset(rows: Sequence[Encoded]) -> Dataset:
    """Token ids with exact labels: trl trains on them as they are."""
    return Dataset.from_dict({"input_ids": [row.input_ids for row in rows], "labels": [row.labels for row in rows]})


def ordered(rows: Sequence[Encoded], snapshot: snapshots.Snapshot, plan: TrainingPlan) -> Dataset:
    """The snapshot's rows as often and in the order in which they train; trl packs them in this order."""
    recipe = plan.recipe
    order = training_order(
        [len(row.input_ids) for row in rows],
        [index for index, row in enumerate(snapshot.train) if row.role == "anchor"],
        anchors_a_pass=snapshot.anchors_a_pass,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        by_length=recipe.by_length,
        seed=plan.seed,
    )
    return to_dataset(rows).select(order)


def with_lora(model: PreTrainedModel, plan: TrainingPlan) -> Any:
    """Hang a fresh LoRA on the model. peft only complains when *no* module matches, so every one is counted."""
    recipe = plan.recipe
    config = LoraConfig(
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        target_modules=list(recipe.target_modules),
        task_type="CAUSAL_LM",
    )
    with quiet_libraries():
        wrapped = get_peft_model(model, config)
    adapted = [name.split(".")[-2] for name, _ in wrapped.named_modules() if name.endswith(".lora_A")]
    layers = model.config.num_hidden_layers
    missing = [module for module in recipe.target_modules if adapted.count(module) != layers]
    if missing:
        raise TrainingError("training.module_without_adapter", modules=", ".join(missing), layers=layers)
    return wrapped


def trained_weights(model: torch.nn.Module) -> list[torch.nn.Parameter]:
    """The weights that move. Raises TrainingError when one of them is not a LoRA's."""
    moving = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    if not moving or any("lora_" not in name for name in moving):
        raise TrainingError("training.base_moved")
    return list(moving.values())


def sft_config(plan: TrainingPlan) -> SFTConfig:
    """The recipe in trl's words; everything that decides the outcome is set, nothing is left to a default."""
    recipe, on_cpu = plan.recipe, plan.device == "cpu"
    return SFTConfig(
        output_dir=str(Path(plan.run_folder) / "checkpoints"),
        max_steps=plan.steps,
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=recipe.batch_size,
        gradient_accumulation_steps=recipe.accumulate,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=recipe.warmup_share,  # a fraction below 1 is a share of all steps
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        optim=recipe.optimiser,
        bf16=plan.base.compute_dtype == "bfloat16",  # trl's default is on, also in float32 on a CPU
        activation_checkpointing=recipe.gradient_checkpointing,  # the name since transformers 5.23
        train_sampling_strategy="random" if recipe.packing else "sequential",  # see `ordered`
        packing=recipe.packing,
        max_length=plan.base.max_tokens,
        dataset_kwargs={"skip_prepare_dataset": not recipe.packing},  # rows are tokenised, labelled and checked
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        seed=plan.seed,
        data_seed=plan.seed,
        logging_steps=1,
        logging_nan_inf_filter=False,  # on by default, it hides NaN while the weights still move
        save_strategy="steps",
        save_steps=recipe.checkpoint_steps,
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
    )


class BonsaiTrainer(SFTTrainer):  # type: ignore[misc]
    """SFTTrainer that stops before a non-finite loss reaches the weights, and is quick on a CPU."""

    _tokens_on_cpu = 0

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """The same loss as trl's. On a CPU, trl takes every position through the LM head; here only labelled ones
        go, which saves two fifths of a step (measured on the seedling)."""
        if model.device.type != "cpu" or return_outputs or "attention_mask" not in inputs:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        causal, mask = model.get_base_model(), inputs["attention_mask"]
        hidden = causal.model(input_ids=inputs["input_ids"], attention_mask=mask, use_cache=False).last_hidden_state
        labels = inputs["labels"][:, 1:]  # (batch, width - 1)
        learned = labels != IGNORED
        logits = causal.lm_head(hidden[:, :-1][learned]).float()  # (labelled tokens, vocabulary)
        loss = cross_entropy(logits, labels[learned], reduction="sum")
        if model.training:
            self._tokens_on_cpu += int(mask.sum())
        return loss / (num_items_in_batch if num_items_in_batch is not None else learned.sum())

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Tell how many tokens were seen, as trl does on a GPU."""
        if self._tokens_on_cpu:
            logs["num_tokens"] = float(self._tokens_on_cpu)
        super().log(logs, start_time)

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """One forward and backward pass. Raises TrainingError on the first loss that is no number."""
        loss: torch.Tensor = super().training_step(*args, **kwargs)
        if not torch.isfinite(loss):
            raise TrainingError("training.loss_not_finite", loss=loss.item(), step=self.state.global_step + 1)
        return loss

    def create_model_card(self, *_args: Any, **_kwargs: Any) -> None:
        """No README in every checkpoint: the passport says more."""


class _Reporter(TrainerCallback):  # type: ignore[misc]
    """Progress after each step, and a marker in each whole checkpoint."""

    def __init__(self, plan: TrainingPlan, on_progress: Callable[[Progress], None]) -> None:
        self._plan = plan
        self._on_progress = on_progress
        self._first_step = 0
        self._started = 0.0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_kwargs: Any
    ) -> None:
        """Start the clock; a resumed training starts at its checkpoint's step."""
        self._first_step = state.global_step
        self._started = time.monotonic()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_kwargs: Any,
    ) -> None:
        """Report a step (the summary at the end has no `loss`)."""
        if not logs or "loss" not in logs:
            return
        seconds = max(time.monotonic() - self._started, 1e-9)
        per_step = seconds / max(state.global_step - self._first_step, 1)
        self._on_progress(
            Progress(
                step=state.global_step,
                steps=self._plan.steps,
                loss=float(logs["loss"]),
                tokens_per_second=float(logs.get("num_tokens", 0.0)) / seconds,
                eta_seconds=per_step * (self._plan.steps - state.global_step),
            )
        )

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_kwargs: Any) -> None:
        """The checkpoint is whole now."""
        mark_complete(Path(str(args.output_dir)) / f"checkpoint-{state.global_step}", self._plan)


def check_trained(model: Any, frozen_before: str) -> None:
    """Refuse an adapter with a non-finite weight, without any effect, or whose base moved."""
    lora = {name: weight for name, weight in model.named_parameters() if "lora_" in name}
    broken = [name for name, weight in lora.items() if not torch.isfinite(weight).all()]
    if broken:
        raise TrainingError("training.weights_not_finite", modules=", ".join(broken[:3]))
    if frozen_hash(model) != frozen_before:
        raise TrainingError("training.base_moved")
    if not any(weight.any() for name, weight in lora.items() if "lora_B" in name):
        raise TrainingError("training.no_effect")


def hf_tokenizer(plan: TrainingPlan) -> Any:
    """The tokenizer as trl wants it; it only pads here, the rows are encoded already."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_folder(plan.base))
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    return tokenizer
