"""Builds the seedling: `python -m research seedling build FOLDER`. Imports torch where it is used.

tokenizer -> pre-training (resumes from its last checkpoint) -> bf16 weights -> measurement under NF4 -> model card

The number of steps follows from `minutes` at a fixed rate, never from the clock: the same minutes and seed give the
same weights on the same machine. The card is written last; a folder without one is not a seedling.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonsai.errors import UsageError
from bonsai.system.files import write_json_atomic
from bonsai.system.progress import Progress, Report, silent
from research.seedling.measure import MEASURED_QUESTIONS
from research.seedling.model_card import write_card
from research.seedling.recipe import Recipe, default_guard, recipe_hash

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from research.seedling.pretraining import Step


SHIPPED_MINUTES = 50.0
"Duration of the recipe's steps on two free cores."
WORK = ".build"
"Subfolder of an unfinished build."
FIRST_LOSSES = 30
"Number of first losses in the card; a test reproduces them."
CHECKPOINT_EVERY = 300
"Steps."


@dataclasses.dataclass(slots=True)
class Log:
    """Progress of a build; kept beside the checkpoint."""

    first_losses: list[float] = dataclasses.field(default_factory=list)
    tokens: int = 0
    seconds: float = 0.0


def recipe_for(minutes: float = SHIPPED_MINUTES, seed: int | None = None) -> Recipe:
    """The recipe scaled to `minutes`. Raises UsageError for less than a minute or more than ten hours."""
    if not 1 <= minutes <= 600:
        raise UsageError("seedling.bad_minutes", minutes=minutes)
    plain = Recipe()
    steps = round(plain.steps * minutes / SHIPPED_MINUTES)
    return dataclasses.replace(plain, steps=steps, seed=plain.seed if seed is None else seed)


def build(
    out: Path, minutes: float = SHIPPED_MINUTES, seed: int | None = None, report: Report = silent
) -> dict[str, Any]:
    """Build a seedling in `out` and return its card; continues after a kill.

    Raises TrainingError if a loss is not finite, UsageError for invalid minutes.
    """
    return grow(out, recipe_for(minutes, seed), report)


def grow(
    out: Path,
    recipe: Recipe,
    report: Report = silent,
    *,
    questions: int = MEASURED_QUESTIONS,
    checkpoint_every: int = CHECKPOINT_EVERY,
) -> dict[str, Any]:
    """`build` with any recipe."""
    from research.seedling.measure import measure, sample_of_known

    work = _work_folder(out, recipe)
    log = _read_log(work)
    _train(recipe, out, log, report, checkpoint_every)
    figures = measure(out, sample_of_known(questions))
    made = write_card(out, recipe, log.first_losses, figures, tokens=log.tokens, seconds=log.seconds)
    shutil.rmtree(work)
    return made


def first_losses(recipe: Recipe, count: int, scratch: Path) -> list[float]:
    """Losses of the first steps of a build from scratch, to compare with a card's."""
    from research.seedling.pretraining import pretrain

    losses: list[float] = []
    tokenizer = _tokenizer(scratch, recipe)
    checkpoint = scratch / "none.pt"
    pretrain(recipe, tokenizer, default_guard(), checkpoint, lambda step: losses.append(step.loss), stop_after=count)
    return losses


def _train(recipe: Recipe, out: Path, log: Log, report: Report, checkpoint_every: int) -> None:
    """Pre-train, and save weights and tokenizer into `out`."""
    import torch

    from research.seedling.pretraining import pretrain

    work, earlier, started = out / WORK, log.seconds, time.monotonic()

    def on_step(step: Step) -> None:
        if len(log.first_losses) < FIRST_LOSSES:
            log.first_losses.append(step.loss)
        log.tokens += step.tokens
        log.seconds = earlier + time.monotonic() - started
        if step.number % checkpoint_every == 0:
            write_json_atomic(work / "log.json", dataclasses.asdict(log))
        report(Progress("seedling", step.number, step.of, step.loss))

    tokenizer = _tokenizer(work, recipe)
    model = pretrain(
        recipe, tokenizer, default_guard(), work / "checkpoint.pt", on_step, checkpoint_every=checkpoint_every
    )
    model.to(torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)
    for path in out.glob("*.safetensors"):
        path.chmod(0o644)  # safetensors writes with mode 600


def _work_folder(out: Path, recipe: Recipe) -> Path:
    """The unfinished build of this recipe, or an empty folder."""
    work = out / WORK
    mark = work / "recipe.json"
    if work.exists() and (not mark.exists() or json.loads(mark.read_text("utf-8")) != recipe_hash(recipe)):
        shutil.rmtree(work)
    work.mkdir(parents=True, exist_ok=True)
    write_json_atomic(mark, recipe_hash(recipe))
    return work


def _tokenizer(work: Path, recipe: Recipe) -> PreTrainedTokenizerFast:
    from transformers import AutoTokenizer

    from research.seedling.tokenizer import fit_tokenizer

    if not (work / "tokenizer.json").exists():
        fit_tokenizer(recipe, default_guard()).save_pretrained(work)
    loaded: PreTrainedTokenizerFast = AutoTokenizer.from_pretrained(work)
    return loaded


def _read_log(work: Path) -> Log:
    path = work / "log.json"
    return Log(**json.loads(path.read_text("utf-8"))) if path.exists() else Log()
