"""The trainings of the study: the shipped recipe on the bundled samples, whole or with fewer passes.

The error rates of the gate need dozens of independent trainings, so most are short. One seed decides what
`training.seed` decides in a night: initial LoRA weights, row order, and the draw of replay samples.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.snapshot_of import snapshot_of
from bonsai.config.settings import Config, load_config
from bonsai.domain.snapshots import Example
from bonsai.evaluate.personal_set import DOMAIN, POOL
from bonsai.evaluate.questions import Item
from bonsai.gate import calibration
from bonsai.gate.decision import Policy
from bonsai.model.bases import SEEDLING, Base, model_folder
from bonsai.model.encoding import Encoder, load_encoder
from bonsai.samples import sample_path
from bonsai.train import replay
from bonsai.train.plan import Recipe, TrainingPlan, make_plan
from research.samples.rows import row_of, sample_rows

PASSES = 2
"Passes over the own records in the short plan; a night makes more."
RATE = 1.5e-3
"Peak learning rate of the short plan: at a night's rate, two passes would forget too much."
FORM_ROWS = 240
"Own rows of an adapter that learns the form alone; half of a short training."
LLAMA_MODULES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
STARTED = datetime(2026, 11, 21, tzinfo=UTC)
"Date in the manifests; the adapter's id does not depend on it."


def defaults() -> Config:
    """The shipped settings, without this machine's changes."""
    return load_config(Path("/nonexistent"), {})


def shipped_policy() -> Policy:
    """The gate policy of a home with the seedling, with its shipped minimum gains where there are any."""
    config = defaults()
    profile = config.profiles["seedling"]
    found = calibration.find([calibration.SHIPPED], profile.base, profile.recipe)
    return found.applied(config.gate.policy) if found else config.gate.policy


@dataclass(frozen=True, slots=True)
class Subject:
    """The base that is studied, and how it trains."""

    base: Base
    recipe: Recipe
    "As long as a night's."


def seedling() -> Subject:
    """The shipped seedling with its shipped recipe; without checkpoints, so a killed training starts again."""
    profile = defaults().profiles["seedling"]
    return Subject(profile.base, replace(profile.recipe, checkpoint_steps=100_000))


def other(folder: Path) -> Subject:
    """The second base (`other_base`), with the seedling's recipe on the linear maps of a Llama."""
    subject = seedling()
    return Subject(
        replace(subject.base, name="other", model=str(folder)), replace(subject.recipe, target_modules=LLAMA_MODULES)
    )


def own_rows() -> list[Example]:
    """The bundled records as training rows, in order."""
    return list(sample_rows())


def form_rows(seed: int) -> list[Example]:
    """Replay samples as a home's own rows: they teach how to answer, and no fact that the benchmark calls taught."""
    return [replace(row, role="own") for row in replay_rows(FORM_ROWS, 1000 + seed)]


@dataclass(frozen=True, slots=True)
class Household:
    """The bundled household: two paraphrases of each fact are trained on, the third is evaluated."""

    rows: tuple[Example, ...]
    suite: tuple[Item, ...]


def household() -> Household:
    """The personal set of the bundled household; the held-back paraphrase is chosen by hash, as in a night."""
    all_values = [json.loads(line) for line in sample_path("household.jsonl").read_text("utf-8").splitlines()]
    paraphrases: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for values in sorted(all_values, key=lambda one: row_of(one).record_id):
        paraphrases.setdefault((values["fact"], values["language"]), []).append(values)
    held_back = [group[0] for group in paraphrases.values()]
    rows = [row_of(values) for group in paraphrases.values() for values in group[1:]]
    return Household(tuple(rows), tuple(_own_item(values) for values in held_back))


def _own_item(values: dict[str, Any]) -> Item:
    language = values["language"]
    return Item(
        f"own/{values['fact']}-{language}", POOL, values["fact"], DOMAIN, values["category"], language, language,
        values["instruction"], values["input"], values["output"], (),
    )  # fmt: skip


def replay_rows(count: int, seed: int) -> list[Example]:
    """Replay samples as training rows."""
    return replay.replay_samples(SEEDLING, count, seed)


def training_plan(
    subject: Subject, rows: Sequence[Example], seed: int, folder: Path, *, whole: bool = False
) -> TrainingPlan:
    """One training of the study, on one thread; `whole`: as long as in a night."""
    recipe = subject.recipe if whole else replace(subject.recipe, epochs=PASSES, learning_rate=RATE)
    snapshot = snapshot_of(
        defaults(), rows, folder / "snapshots", STARTED, seed=seed, passes=recipe.epochs, validation_share=0.0
    )
    run = folder / "runs" / f"{snapshot.id}-{seed}"
    run.mkdir(parents=True, exist_ok=True)
    return make_plan(
        "seedling",
        subject.base,
        recipe,
        snapshot,
        device="cpu",
        threads=1,
        seed=seed,
        run_folder=run,
        adapters_folder=folder / "adapters",
        created_at=STARTED,
    )


def encoder_of(subject: Subject) -> Encoder:
    """The base's tokenizer with the project's prompt."""
    return load_encoder(model_folder(subject.base))
