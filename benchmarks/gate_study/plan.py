"""The short training plan of the study: the seedling's recipe on the bundled samples, with fewer passes.

The error rates of the gate need dozens of independent trainings, so each is short. One seed decides what
`training.seed` decides in a night: initial LoRA weights, row order, and the draw of replay samples.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from benchmarks.snapshot_of import snapshot_of
from bonsai.config.settings import Config, load_config
from bonsai.domain.records import Language, reasoning_sentence
from bonsai.domain.snapshots import Example
from bonsai.evaluate.personal_set import DOMAIN, POOL
from bonsai.evaluate.questions import Item
from bonsai.gate.decision import Policy
from bonsai.ingest.tags.language import guess
from bonsai.model.bases import SEEDLING, model_folder
from bonsai.model.encoding import Encoder, load_encoder
from bonsai.samples import sample_path
from bonsai.train import replay
from bonsai.train.plan import Recipe, TrainingPlan, make_plan
from research.samples.rows import row_of, sample_rows

FIRST_SEED = 1
PASSES = 2
"Passes over the own records in the short plan; a night makes more."
RATE = 1.5e-3
"Peak learning rate of the short plan: at a night's rate, two passes would forget too much."
STARTED = datetime(2026, 11, 21, tzinfo=UTC)
"Date in the manifests; the adapter's id does not depend on it."


def defaults() -> Config:
    """The shipped settings, without this machine's changes."""
    return load_config(Path("/nonexistent"), {})


def policy_of(config: Config) -> Policy:
    """The shipped gate policy. v1 asks no control facts; general ones, which nothing teaches either, stand in."""
    return replace(config.gate.policy, control_domains=config.gate.retention_domains)


def own_rows(name: str = "experience.jsonl") -> list[Example]:
    """The bundled records as training rows, in order."""
    return [_as_studied(row) for row in sample_rows(name)]


def _as_studied(row: Example) -> Example:
    """Reasoning by the guessed language, which differs in six rows from the record's: the stored runs used it."""
    return replace(row, reasoning=reasoning_sentence(guess(row.instruction).language, cast("Language", row.language)))


def _row(values: dict[str, Any]) -> Example:
    return _as_studied(row_of(values))


@dataclass(frozen=True, slots=True)
class Household:
    """The bundled household: two paraphrases of each fact are trained on, the third is evaluated."""

    rows: tuple[Example, ...]
    suite: tuple[Item, ...]


def household() -> Household:
    """The personal set of the bundled household; the held-back paraphrase is chosen by hash, as in a night."""
    all_values = [json.loads(line) for line in sample_path("household.jsonl").read_text("utf-8").splitlines()]
    paraphrases: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for values in sorted(all_values, key=lambda one: _row(one).record_id):
        paraphrases.setdefault((values["fact"], values["language"]), []).append(values)
    held_back = [group[0] for group in paraphrases.values()]
    rows = [_row(values) for group in paraphrases.values() for values in group[1:]]
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


def recipe_of(config: Config, *, whole: bool) -> Recipe:
    """The recipe of the short plan, or of a night; without checkpoints, so a killed training starts again."""
    shipped = replace(config.profiles["seedling"].recipe, checkpoint_steps=100_000)
    return shipped if whole else replace(shipped, epochs=PASSES, learning_rate=RATE)


def training_plan(rows: Sequence[Example], seed: int, folder: Path, *, whole: bool = False) -> TrainingPlan:
    """One training of the study, on one thread; `whole`: as long as in a night."""
    config = defaults()
    recipe = recipe_of(config, whole=whole)
    snapshot = snapshot_of(
        config, rows, folder / "snapshots", STARTED, seed=seed, passes=recipe.epochs, validation_share=0.0
    )
    run = folder / "runs" / f"{snapshot.id}-{seed}"
    run.mkdir(parents=True, exist_ok=True)
    return make_plan(
        "seedling",
        config.profiles["seedling"].base,
        recipe,
        snapshot,
        device="cpu",
        threads=1,
        seed=seed,
        run_folder=run,
        adapters_folder=folder / "adapters",
        created_at=STARTED,
    )


def encoder_of_base(config: Config) -> Encoder:
    """The seedling's tokenizer with the project's prompt."""
    return load_encoder(model_folder(config.profiles["seedling"].base))
