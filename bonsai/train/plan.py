"""What a training does, resolved before it starts and saved beside its adapter.

Pure: profile + snapshot -> `TrainingPlan`. The number of steps is fixed here and never depends on the clock, so the
same plan gives the same adapter on the same machine. `Trainer` is what the pipeline sees of a training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil, cos, pi
from pathlib import Path
from typing import ClassVar, Literal, Protocol

from bonsai.domain.snapshots import Snapshot
from bonsai.errors import TrainingError
from bonsai.model.bases import Base


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a LoRA is trained; `[profiles.<name>.recipe]` of `defaults.toml`."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}
    "Read straight from the configuration: an unknown key there is an error."

    template: str
    "Name of the prompt template."
    target_modules: tuple[str, ...]
    "Linear maps that get an adapter; each must be found in every layer."
    lora_rank: int
    lora_alpha: float
    "The adapter's output is scaled by alpha / rank."
    lora_dropout: float
    learning_rate: float
    "Peak; a cosine falls from it to zero."
    warmup_share: float
    "Part of all steps in which the learning rate rises."
    weight_decay: float
    max_grad_norm: float
    epochs: int
    batch_size: int
    "Examples a step on the device."
    accumulate: int
    "Batches that share one update."
    by_length: bool
    "Batches of similar length: less padding. For CPUs."
    packing: bool
    "Several examples fill one row of `max_tokens`. For GPUs."
    gradient_checkpointing: bool
    "Recompute activations: a third slower, a fraction of the memory."
    optimiser: str
    "A name of transformers' `optim`. No paged ones: they use managed memory."
    checkpoint_steps: int
    "A killed training loses at most this many steps."
    kl_to_base: float = 0.0
    "Weight of the divergence from the base wherever nothing is taught, replay rows included. 0: they are learned."
    learn_prompt: bool = False
    "The loss is that of the whole text, as in the original script; otherwise of tags and answer alone."
    prepare_kbit: bool = False
    "peft's prepare_model_for_kbit_training, as in the original script: whatever is not NF4 becomes float32."

    def rate_at(self, step: int, steps: int) -> float:
        """Learning rate of a step (the first is 0), as a share of the peak: a linear rise, then half a cosine.

        No step of a training has the rate 0. transformers' schedule begins there, so a night of a single step
        would learn nothing; and a warm-up shorter than a step is none.
        """
        rise = int(self.warmup_share * steps)
        if step < rise:
            return (step + 1) / (rise + 1)
        return 0.5 * (1 + cos(pi * min((step - rise) / (steps - rise), 1.0)))


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """One training, fully resolved."""

    profile: str
    base: Base
    recipe: Recipe
    device: Literal["cpu", "cuda"]
    threads: int
    "CPU threads of the worker; 0 leaves it to torch."
    seed: int
    steps: int
    snapshot_id: str
    snapshot_hash: str
    snapshot_folder: str
    run_folder: str
    "Checkpoints, plan and log of this training."
    adapters_folder: str
    "Where the finished adapter's own folder appears."
    created_at: str
    "ISO 8601, UTC; when the training was planned."
    processes: int = 1
    "Copies of the model that share the examples of each batch, one a GPU; what is learned stays the same."
    batch_parts: int = 1
    "A batch goes through the device in so many parts: more than one after memory ran out."
    parent: str = ""
    "Id of the adapter in `adapters_folder` that a warm training starts from; empty for a cold one."
    depth: int = 0
    "Warm trainings between the new adapter and its cold ancestor."

    @property
    def batch_on_device(self) -> int:
        """Examples that are on one device at once."""
        return self.recipe.batch_size // (self.processes * self.batch_parts)

    def in_smaller_parts(self) -> TrainingPlan | None:
        """The same training with (about) half as many examples on a device at once; None when one is left."""
        left = self.batch_on_device
        parts = next((parts for parts in range(2, left + 1) if left % parts == 0), 0)
        return replace(self, batch_parts=self.batch_parts * parts) if parts else None


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """Where a training stands."""

    step: int
    steps: int
    loss: float
    tokens_per_second: float
    eta_seconds: float
    batch_parts: int = 1
    "2 or more: memory ran out, and a batch now goes through the device in so many parts."
    tokens: int = 0
    "Seen since this process began, padding aside."
    memory_bytes: int = 0
    "Most main memory that this process held so far."
    gpu_memory_bytes: int = 0
    "Most memory of its GPU; 0 on a CPU."


@dataclass(frozen=True, slots=True)
class AdapterFolder:
    """A finished adapter."""

    id: str
    "16 hex digits of a hash over its weights, base, template and snapshot."
    path: Path


class Trainer(Protocol):
    """Runs a plan."""

    def train(self, plan: TrainingPlan, on_progress: Callable[[TrainingProgress], None]) -> AdapterFolder:
        """Train to the end; started again after a kill it goes on from its last checkpoint.

        Raises TrainingError when the training refuses or stops itself, WorkerDied when it was killed.
        """


def make_plan(
    profile: str,
    base: Base,
    recipe: Recipe,
    snapshot: Snapshot,
    *,
    device: Literal["cpu", "cuda"],
    threads: int,
    seed: int,
    run_folder: Path,
    adapters_folder: Path,
    created_at: datetime,
    processes: int = 1,
    parent: str = "",
    depth: int = 0,
) -> TrainingPlan:
    """Resolve a training.

    Raises TrainingError for a snapshot with nothing to learn from, and for a batch that the processes cannot share.
    """
    if not snapshot.train:
        raise TrainingError("training.nothing_to_train", snapshot=snapshot.id)
    if recipe.batch_size % processes:
        raise TrainingError("training.batch_not_shared", batch=recipe.batch_size, processes=processes)
    return TrainingPlan(
        profile=profile,
        base=base,
        recipe=recipe,
        device=device,
        threads=threads,
        seed=seed,
        steps=steps_of(recipe, base, snapshot),
        snapshot_id=snapshot.id,
        snapshot_hash=snapshot.content_hash,
        snapshot_folder=snapshot.folder,
        run_folder=str(run_folder),
        adapters_folder=str(adapters_folder),
        created_at=created_at.isoformat(),
        processes=processes,
        parent=parent,
        depth=depth,
    )


def steps_of(recipe: Recipe, base: Base, snapshot: Snapshot) -> int:
    """Updates of the whole training; only its very last batch may be smaller."""
    own = sum(row.role == "own" for row in snapshot.train)
    rows = recipe.epochs * (own + snapshot.replayed_a_pass + snapshot.anchors_a_pass)
    if recipe.packing:
        rows = ceil(rows * snapshot.train_tokens / len(snapshot.train) / base.max_tokens)
    return ceil(rows / (recipe.batch_size * recipe.accumulate))
