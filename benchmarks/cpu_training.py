"""Training speed of the seedling profile on a CPU, compared with the seed script's settings and with plain trl.

    python benchmarks/cpu_training.py                  # some 4 minutes on two cores; the table of docs/performance.md
    python benchmarks/cpu_training.py --smoke          # the same with 64 records and one repeat, in half a minute

Every rung trains the same LoRA on the same records, one pass, on the same NF4 values, and on the unquantised base
too. The rungs take turns within each repeat, so that other load on the machine affects all of them; only
the ratios carry over to other machines. Real tokens are counted, padding is not. The losses are those of the answers
of held-out records, after the same number of tokens.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import torch
from datasets import Dataset
from peft import prepare_model_for_kbit_training
from transformers import PrinterCallback, TrainerCallback, set_seed
from transformers.utils import logging as transformers_logging
from trl import SFTConfig, SFTTrainer

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.packed_base import packed_base
from bonsai.config.settings import load_config
from bonsai.model import quiet_libraries
from bonsai.model.bases import SEEDLING, model_folder
from bonsai.model.encoding import IGNORED, Encoded, load_encoder
from bonsai.model.hf import load_model
from bonsai.model.prompt import template
from bonsai.train.order import training_order
from bonsai.train.plan import TrainingPlan
from bonsai.train.qlora import to_dataset, with_lora
from bonsai.train.replay import replay_samples
from bonsai.train.sft import BonsaiTrainer, hf_tokenizer, sft_config
from research.samples.rows import sample_rows

Rung = Literal["seed", "trl", "bonsai"]
RUNGS: tuple[Rung, ...] = ("seed", "trl", "bonsai")
NAMES: dict[Rung, str] = {"seed": "seed script's settings", "trl": "plain trl defaults", "bonsai": "seedling profile"}
BASES = {"nf4": "NF4", "none": "unquantised"}
GOALS: dict[Rung, float] = {"seed": 3.0, "trl": 1.3}
SUBSTITUTIONS = """\
Substitutions and settings:
- all rungs: the same LoRA (rank, alpha, six modules, float32 weights), the same tokens, one pass, float32 products
  unless said otherwise. The base is the seedling, not Phi-2.
- seed script's settings: batches of 2 in random order, no packing, no grouping by length, gradient checkpointing,
  prepare_model_for_kbit_training, the loss of the whole sequence, learning rate 2e-4. adamw_torch stands for
  paged_adamw_8bit: there is no paged optimiser on a CPU. float32 stands for float16.
- plain trl defaults: batches of 8 in random order, gradient checkpointing, bfloat16 autocast, completion-only loss,
  learning rate 2e-5: what SFTConfig(use_cpu=True) says.
- seedling profile: as defaults.toml says; its NF4 values are unpacked once when they are loaded."""


@dataclass(frozen=True)
class Material:
    """Data that every rung trains on."""

    rows: tuple[Encoded, ...]
    held_out: tuple[Encoded, ...]
    plan: TrainingPlan


@dataclass(frozen=True)
class Measured:
    """One training of one rung."""

    tokens_per_second: float
    "Wall-clock time."
    tokens_per_cpu_second: float
    "CPU time of all threads; hardly depends on other load."
    loss: float
    "Of the held-out answers after the pass, in nats per token."


class Clock(TrainerCallback):  # type: ignore[misc]
    """Wall-clock and CPU time at the end of each step."""

    def __init__(self) -> None:
        self.wall: list[float] = []
        self.cpu: list[float] = []

    def on_step_end(self, *_args: Any, **_kwargs: Any) -> None:
        """One more."""
        self.wall.append(time.perf_counter())
        self.cpu.append(time.process_time())


def material(records: int, folder: Path) -> Material:
    """The first `records` rows of a night (own records and replay samples, mixed), and further ones for the loss."""
    config = load_config(Path("/nonexistent"), {})
    profile = config.profiles["seedling"]
    encoder, form = load_encoder(model_folder(profile.base)), template(profile.recipe.template)
    own = sample_rows()
    examples = [*own, *replay_samples(SEEDLING, 2 * len(own), 7)]
    order = training_order([1] * len(examples), epochs=1, batch_size=1, by_length=False, seed=7)
    rows = [encoder.example(form, examples[index]) for index in order]
    recipe = replace(profile.recipe, epochs=1)
    plan = TrainingPlan(
        profile="seedling",
        base=profile.base,
        recipe=recipe,
        device="cpu",
        threads=0,
        seed=7,
        steps=math.ceil(records / recipe.batch_size),
        snapshot_id="",
        snapshot_hash="",
        snapshot_folder="",
        run_folder=str(folder),
        adapters_folder="",
        created_at=datetime.now(UTC).isoformat(),
    )
    return Material(tuple(rows[:records]), tuple(rows[records : records + 96]), plan)


def base_model(rung: Rung, plan: TrainingPlan) -> Any:
    """The base as the rung loads it; the same NF4 values for all rungs, or unquantised for all."""
    if rung == "bonsai":
        return load_model(plan.base, "cpu")
    model = packed_base(plan.base)
    if rung == "seed":
        return prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)  # switched on below
    return model.requires_grad_(False)


def arguments(rung: Rung, plan: TrainingPlan, records: int) -> SFTConfig:
    """The rung's settings."""
    if rung == "bonsai":
        return sft_config(plan)
    quiet = {"report_to": "none", "disable_tqdm": True, "save_strategy": "no", "use_cpu": True, "seed": plan.seed}
    common = {**quiet, "output_dir": plan.run_folder, "dataset_kwargs": {"skip_prepare_dataset": True}}
    if rung == "trl":
        return SFTConfig(**common, num_train_epochs=1, dataloader_pin_memory=False)
    return SFTConfig(
        **common,
        max_steps=math.ceil(records / 2),
        per_device_train_batch_size=2,
        learning_rate=2e-4,
        activation_checkpointing=True,
        bf16=False,
        optim="adamw_torch",
        dataloader_pin_memory=False,
    )


def dataset(rung: Rung, made: Material) -> Dataset:
    """The same records; grouped by length for the profile, with the question in the loss for the seed script."""
    if rung == "bonsai":
        recipe, lengths = made.plan.recipe, [len(row.input_ids) for row in made.rows]
        order = training_order(
            lengths, epochs=1, batch_size=recipe.batch_size, by_length=recipe.by_length, seed=made.plan.seed
        )
        return to_dataset(made.rows, recipe).select(order)
    return to_dataset(made.rows, replace(made.plan.recipe, learn_prompt=rung == "seed"))


def train(rung: Rung, made: Material) -> Measured:
    """One pass over the records; timing starts after a tenth of the steps, when everything is loaded."""
    plan, clock, data = made.plan, Clock(), dataset(rung, made)
    set_seed(plan.seed)
    with quiet_libraries():
        model = with_lora(base_model(rung, plan), plan)
        trainer = (BonsaiTrainer if rung == "bonsai" else SFTTrainer)(
            model=model,
            args=arguments(rung, plan, len(made.rows)),
            train_dataset=data,
            processing_class=hf_tokenizer(plan),
            callbacks=[clock],
        )
        trainer.remove_callback(PrinterCallback)
        for name, weight in model.named_parameters():
            if "lora_" in name:
                weight.data = weight.data.float()
        trainer.train()
    lengths, steps = [len(ids) for ids in data["input_ids"]], len(clock.wall)
    skipped = max(1, steps // 10)
    if rung == "bonsai":  # its order is known; the others draw theirs, and a step has as many tokens as the next
        tokens = float(sum(lengths[skipped * plan.recipe.batch_size :]))
    else:
        tokens = sum(lengths) * (steps - skipped) / steps
    wall, cpu = (times[-1] - times[skipped - 1] for times in (clock.wall, clock.cpu))
    return Measured(tokens / wall, tokens / cpu, answer_loss(model, made.held_out))


def answer_loss(model: Any, rows: Sequence[Encoded]) -> float:
    """Mean loss per learned token, computed the same way for every rung."""
    model.eval()
    total = count = 0.0
    with torch.no_grad():
        for row in rows:
            ids, labels = torch.tensor([row.input_ids]), torch.tensor(row.labels)[1:]
            logits = model(input_ids=ids).logits[0, :-1].float()
            learned = labels != IGNORED
            total += float(torch.nn.functional.cross_entropy(logits[learned], labels[learned], reduction="sum"))
            count += int(learned.sum())
    return total / count


def spread(values: Sequence[float]) -> str:
    """Median, smallest and largest."""
    return f"{statistics.median(values):5.2f}  ({min(values):.2f}-{max(values):.2f})"


def show(found: dict[tuple[str, Rung], list[Measured]], made: Material, repeats: int) -> bool:
    """Print the table; True if the profile meets its goals on the NF4 base."""
    tokens = sum(len(row.input_ids) for row in made.rows)
    print(
        f"\n{len(made.rows)} records, {tokens} tokens, {repeats} repeats, {torch.get_num_threads()} threads of torch\n"
    )
    print(f"{'base':<13}{'rung':<24}{'tokens/s':>9}   {'profile / rung':<21}{'by CPU seconds':<21}{'loss':>6}")
    met = True
    for base, base_name in BASES.items():
        ours = found[base, "bonsai"]
        for rung in RUNGS:
            theirs = found[base, rung]
            pairs = list(zip(ours, theirs, strict=True))
            wall = [one.tokens_per_second / other.tokens_per_second for one, other in pairs]
            cpu = [one.tokens_per_cpu_second / other.tokens_per_cpu_second for one, other in pairs]
            speed = statistics.median(one.tokens_per_second for one in theirs)
            loss = statistics.median(one.loss for one in theirs)
            print(f"{base_name:<13}{NAMES[rung]:<24}{speed:>9.0f}   {spread(wall):<21}{spread(cpu):<21}{loss:>6.3f}")
            if base == "nf4" and rung in GOALS:
                met &= statistics.median(wall) >= GOALS[rung]
                met &= statistics.median(one.loss for one in ours) <= 1.02 * loss
    print(f"\nGoals on NF4: {', '.join(f'>= {goal} x {NAMES[rung]}' for rung, goal in GOALS.items())},")
    print(f"at no higher loss after the same tokens: {'met' if met else 'NOT met'}.\n\n{SUBSTITUTIONS}")
    return met


def main() -> int:
    """Measure and print; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--smoke", action="store_true", help="64 records, one repeat; the figures mean nothing")
    chosen = parser.parse_args()
    if "OMP_WAIT_POLICY" not in os.environ:  # as in every training of Bonsai; OpenMP reads it once, when it starts
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"})
    transformers_logging.disable_progress_bar()
    warnings.filterwarnings("ignore", message=".*gradient_checkpointing.*", category=FutureWarning)  # trl's own
    records, repeats = (64, 1) if chosen.smoke else (chosen.records, chosen.repeats)
    found: dict[tuple[str, Rung], list[Measured]] = {(base, rung): [] for base in BASES for rung in RUNGS}
    with TemporaryDirectory() as folder:
        made = material(records, Path(folder))
        for repeat in range(repeats):
            for base in BASES:
                plan = replace(made.plan, base=replace(made.plan.base, quantisation=base))
                for rung in RUNGS:
                    one = train(rung, replace(made, plan=plan))
                    found[base, rung].append(one)
                    print(f"{repeat + 1}/{repeats} {BASES[base]:<12}{NAMES[rung]:<25}{one}", file=sys.stderr)
    met = show(found, made, repeats)
    return int(not met and not chosen.smoke)


if __name__ == "__main__":
    sys.exit(main())
