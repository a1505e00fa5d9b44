"""Heavy: trl's SFTTrainer as Bonsai uses it: settings from a plan, loss, progress, checkpoints.

A plan may run as several processes, one for each GPU (`accelerate launch`). They share the examples of each step, so
their number changes the speed and not the result; only the first reports and saves.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy, kl_div, log_softmax
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.checkpoint import checkpoint
from transformers import (
    AutoTokenizer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from trl import SFTConfig, SFTTrainer

from bonsai.errors import OutOfMemory, TrainingError
from bonsai.model.architecture import head_is_all
from bonsai.model.bases import model_folder
from bonsai.model.encoding import IGNORED
from bonsai.train.checkpoints import mark_complete
from bonsai.train.plan import Recipe, TrainingPlan, TrainingProgress

Head = torch.nn.Module
"From hidden states to logits."
_NUMBERS_AT_ONCE = 2**24
"Logits: 64 MiB in float32, some four times that with their derivatives."
_CPU_HAS_NO_MEMORY = "can't allocate memory"
"torch has an error of its own for a GPU's memory, and for the CPU's only this sentence in a RuntimeError."


def process_number() -> int:
    """0 for the process that reports and saves; set by `accelerate launch`."""
    return int(os.environ.get("RANK", "0"))


def device_of(plan: TrainingPlan) -> str:
    """Where this process's copy of the model lies: "cpu", "cuda", or "cuda:1" for the second of several."""
    return plan.device if plan.processes == 1 or plan.device == "cpu" else f"cuda:{os.environ.get('LOCAL_RANK', '0')}"


def sft_config(plan: TrainingPlan) -> SFTConfig:
    """The recipe as trl's configuration; everything that affects the outcome is set explicitly."""
    recipe, on_cpu = plan.recipe, plan.device == "cpu"
    return SFTConfig(
        output_dir=str(Path(plan.run_folder) / "checkpoints"),
        max_steps=plan.steps,
        per_device_train_batch_size=plan.batch_on_device,
        per_device_eval_batch_size=plan.batch_on_device,
        gradient_accumulation_steps=recipe.accumulate * plan.batch_parts,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        optim=recipe.optimiser,
        bf16=plan.base.compute_dtype == "bfloat16",  # trl's default is on, also in float32 on a CPU
        activation_checkpointing=recipe.gradient_checkpointing,  # the name since transformers 5.23
        train_sampling_strategy="sequential",  # the rows come in their order: see `qlora.ordered`
        packing=recipe.packing,
        max_length=plan.base.max_tokens,
        dataset_kwargs={"skip_prepare_dataset": True},  # rows are tokenised, labelled, checked, and packed
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


def hf_tokenizer(plan: TrainingPlan) -> Any:
    """The tokenizer as trl wants it; it only pads here, the rows are encoded already."""
    tokenizer = AutoTokenizer.from_pretrained(model_folder(plan.base))
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    return tokenizer


def most_memory() -> int:
    """Bytes of main memory that this process held at its largest; `ru_maxrss` counts KiB, on macOS bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@contextmanager
def raising_out_of_memory(plan: TrainingPlan) -> Iterator[None]:
    """Raise OutOfMemory for torch's errors of either kind of memory; the trainer then tries smaller batches once."""
    try:
        yield
    except RuntimeError as error:  # torch.OutOfMemoryError is one
        if not isinstance(error, torch.OutOfMemoryError) and _CPU_HAS_NO_MEMORY not in str(error):
            raise
        raise OutOfMemory("training.out_of_memory", device=plan.device, batch=plan.batch_on_device) from error


class BonsaiTrainer(SFTTrainer):  # type: ignore[misc]
    """SFTTrainer that stops before a non-finite loss reaches the weights, stays close to its base, and is quick on a
    CPU."""

    recipe: Recipe
    "Set before `train`."
    _tokens_on_cpu = 0

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> LambdaLR:
        """`Recipe.rate_at`."""
        rate = partial(self.recipe.rate_at, steps=num_training_steps)
        self.lr_scheduler = LambdaLR(optimizer or self.optimizer, rate)
        self._created_lr_scheduler = True
        return self.lr_scheduler

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """The same loss as trl's, unless the recipe holds the model to its base. On a CPU, trl takes every position
        through the LM head; here only labelled ones go, which saves two fifths of a step (measured on the seedling)."""
        if self.recipe.kl_to_base and model.training:
            return self._loss_beside_base(model, inputs, num_items_in_batch)
        if not self._may_be_quick(model) or return_outputs or "attention_mask" not in inputs:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        causal, mask = model.get_base_model(), inputs["attention_mask"]
        body, head = causal.base_model, causal.get_output_embeddings()
        hidden = body(input_ids=inputs["input_ids"], attention_mask=mask, use_cache=False).last_hidden_state
        labels = inputs["labels"][:, 1:]  # (batch, width - 1)
        learned = labels != IGNORED
        logits = head(hidden[:, :-1][learned]).float()  # (labelled tokens, vocabulary)
        loss = cross_entropy(logits, labels[learned], reduction="sum")
        if model.training:
            self._tokens_on_cpu += int(mask.sum())
        return loss / (num_items_in_batch if num_items_in_batch is not None else learned.sum())

    def _loss_beside_base(
        self, model: Any, inputs: dict[str, torch.Tensor], num_items_in_batch: torch.Tensor | int | None
    ) -> torch.Tensor:
        """Cross entropy of the learned tokens, and KL(base || model) wherever nothing is taught, `kl_to_base` times.

        Learning without forgetting (Li & Hoiem, https://arxiv.org/abs/1606.09282), token by token: of replay rows the
        base's own distribution is all that is taught, in question and answer. Both sums are divided by the number of
        completion tokens, whoever's they are: by the learned ones alone, a batch of few own rows would outweigh others.
        """
        labels = inputs["labels"][:, 1:]  # (batch, width - 1)
        learned = labels >= 0
        mask = inputs.get("attention_mask")
        kept = ~learned if mask is None else ~learned & mask[:, 1:].bool()
        ours, head = _states(model, inputs)
        plain = model.module if isinstance(model, DistributedDataParallel) else model
        with torch.no_grad(), plain.disable_adapter():
            base, _ = _states(plain, inputs)
        loss = cross_entropy(head(ours[learned]).float(), labels[learned], reduction="sum")
        loss = loss + self.recipe.kl_to_base * divergence(head, ours[kept], base[kept])
        if mask is not None and model.device.type == "cpu":
            self._tokens_on_cpu += int(mask.sum())
        return loss / ((labels != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch)

    def _may_be_quick(self, model: Any) -> bool:
        """Not under DDP, which must see its own forward pass."""
        if isinstance(model, DistributedDataParallel) or model.device.type != "cpu":
            return False
        return head_is_all(model.get_base_model())

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log the number of tokens, as trl does on a GPU."""
        if self._tokens_on_cpu:
            logs["num_tokens"] = float(self._tokens_on_cpu)
        super().log(logs, start_time)

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """One forward and backward pass. Raises TrainingError on the first non-finite loss."""
        loss: torch.Tensor = super().training_step(*args, **kwargs)
        if not torch.isfinite(loss):
            raise TrainingError("training.loss_not_finite", loss=loss.item(), step=self.state.global_step + 1)
        return loss

    def create_model_card(self, *_args: Any, **_kwargs: Any) -> None:
        """No README in every checkpoint: the manifest says more."""


def _states(model: Any, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, Head]:
    """What stands before the LM head at each place but the last, (batch, width - 1, hidden), and the head. Logits and
    no head, where the model does more than apply it, or is copied to several devices."""
    given = {name: value for name, value in inputs.items() if name != "labels"}
    if isinstance(model, DistributedDataParallel) or not head_is_all(model.get_base_model()):
        return model(**given, use_cache=False).logits[:, :-1], torch.nn.Identity()
    causal = model.get_base_model()
    return causal.base_model(**given, use_cache=False).last_hidden_state[:, :-1], causal.get_output_embeddings()


def divergence(head: Head, ours: torch.Tensor, base: torch.Tensor, numbers: int = _NUMBERS_AT_ONCE) -> torch.Tensor:
    """KL(base || ours) of the next token, in nats, summed over the places; both (places, hidden).

    Of a large vocabulary the logits of all places would be the largest tensors of a training: so many numbers are made
    at once, and made again on the way back.
    """

    def part(mine: torch.Tensor, its: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            wanted = log_softmax(head(its).float(), -1)
        return kl_div(log_softmax(head(mine).float(), -1), wanted, log_target=True, reduction="sum")

    places = max(numbers // _vocabulary(head, ours), 1)
    if len(ours) <= places:
        return part(ours, base)
    parts = zip(torch.split(ours, places), torch.split(base, places), strict=True)
    return torch.stack([checkpoint(part, mine, its, use_reentrant=False) for mine, its in parts]).sum()


def _vocabulary(head: Head, states: torch.Tensor) -> int:
    weight = getattr(head, "weight", None)
    return len(weight) if weight is not None else states.shape[-1]


class Reporter(TrainerCallback):  # type: ignore[misc]
    """Reports progress after each step, and marks each complete checkpoint."""

    def __init__(self, plan: TrainingPlan, on_progress: Callable[[TrainingProgress], None]) -> None:
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
        if not logs or "loss" not in logs or not state.is_world_process_zero:
            return
        seconds = max(time.monotonic() - self._started, 1e-9)
        per_step = seconds / max(state.global_step - self._first_step, 1)
        self._on_progress(
            TrainingProgress(
                step=state.global_step,
                steps=self._plan.steps,
                loss=float(logs["loss"]),
                tokens_per_second=float(logs.get("num_tokens", 0.0)) / seconds,
                eta_seconds=per_step * (self._plan.steps - state.global_step),
                batch_parts=self._plan.batch_parts,
                tokens=int(logs.get("num_tokens", 0)),
                memory_bytes=most_memory(),
                gpu_memory_bytes=torch.cuda.max_memory_allocated() if self._plan.device == "cuda" else 0,
            )
        )

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_kwargs: Any) -> None:
        """The checkpoint is whole once every process has written its part."""
        if args.distributed_state is not None:
            args.distributed_state.wait_for_everyone()
        if state.is_world_process_zero:
            mark_complete(Path(str(args.output_dir)) / f"checkpoint-{state.global_step}", self._plan)
