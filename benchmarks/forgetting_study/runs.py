"""Trains and asks one run of the study. Loads torch."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from random import Random

from benchmarks.forgetting_study.arms import ARMS, BASE, Arm
from bonsai.config.settings import load_config
from bonsai.domain import snapshots
from bonsai.evaluate import questions
from bonsai.evaluate.questions import Item
from bonsai.evaluate.report import accuracy, mean
from bonsai.evaluate.run import ReportMetadata, RunSettings, run
from bonsai.model.bases import model_folder
from bonsai.model.encoding import load_encoder
from bonsai.model.prompt import template
from bonsai.system.json_values import from_values
from bonsai.train import seedling_facts
from bonsai.train.plan import make_plan
from research.samples.rows import sample_rows
from research.seedling import world
from research.seedling.replay_file import is_asked
from research.seedling.wordings import WORLD_LANGUAGES

POOLS = ("confirmation", "score")
"Selection chose the recipe, so these measure it."
REHEARSED = "rehearsed"
REHEARSED_FACTS = 150
STARTED = datetime(2026, 11, 30, tzinfo=UTC)
Counts = Mapping[str, tuple[int, int]]
"`domain/language` -> (right answers, questions)."


@dataclass(frozen=True, slots=True)
class Line:
    """One run."""

    arm: str
    seed: int
    steps: int
    cpu_seconds: float
    "Of the training."
    right: Counts
    kept: Counts
    "Questions that the base answered rightly: (still right, right before)."
    bits: Mapping[str, float]
    "Mean bits/byte of the references, by domain."


def read(path: Path) -> dict[tuple[str, int], Line]:
    """The finished runs."""
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    made = [from_values(Line, json.loads(line)) for line in lines]
    return {(one.arm, one.seed): one for one in made}


def append(path: Path, line: Line) -> None:
    """Add a finished run."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(line), ensure_ascii=False) + "\n")


def items() -> list[Item]:
    """The questions of POOLS, and held-out paraphrases of facts that are replayed."""
    return [one for pool in POOLS for one in questions.load(pool)] + rehearsed_items()


def rehearsed_items() -> list[Item]:
    """Facts that no benchmark asks, each once in each language."""
    among = [
        fact for fact in world.general_only() if not is_asked(fact) and fact.family not in ("creative", "brainstorm")
    ]
    chosen = Random("rehearsed").sample(among, REHEARSED_FACTS)
    return [
        Item(
            f"{REHEARSED}/{number}/{language}", REHEARSED, f"{REHEARSED}/{number}", REHEARSED, asked.category,
            asked.language, language, asked.instruction, asked.context, asked.output, (),
        )
        for number, fact in enumerate(chosen)
        for language in WORLD_LANGUAGES
        for asked in fact.held_out_questions(language)[:1]
    ]  # fmt: skip


def made(name: str, seed: int, folder: Path, before: frozenset[str]) -> tuple[Line, frozenset[str]]:
    """Train (unless it is the base) and ask. `before`: ids of the questions that the base answered rightly.

    Returns the line, and the ids of the questions answered rightly.
    """
    from bonsai.model.hf import load_base

    config = load_config(Path("/nonexistent"), {})
    profile = config.profiles["seedling"]
    loaded = load_base(profile.base, "cpu")
    steps, seconds = 0, 0.0
    if name != BASE:
        adapter, steps, seconds = _trained(ARMS[name], seed, folder / f"{name}-{seed}")
        loaded.add_adapter(name, adapter)
    answerer = loaded.answerer(template(profile.recipe.template), None if name == BASE else name)
    about = ReportMetadata("forgetting", name, name, profile.base.name, "study", "study", "")
    report = run(answerer, items(), RunSettings(canaries=1), about)
    right = frozenset(one.id for one in report.items if accuracy(one))
    groups: dict[str, list[str]] = {}
    for one in report.items:
        if accuracy(one) is not None:
            groups.setdefault(f"{one.domain}/{one.language}", []).append(one.id)
    known = before or right
    domains = sorted({one.domain for one in report.items})
    line = Line(
        arm=name,
        seed=seed,
        steps=steps,
        cpu_seconds=round(seconds, 1),
        right={group: (len(right.intersection(ids)), len(ids)) for group, ids in sorted(groups.items())},
        kept={
            group: (len(right & known.intersection(ids)), len(known.intersection(ids)))
            for group, ids in sorted(groups.items())
        },
        bits={
            domain: round(mean((i for i in report.items if i.domain == domain), lambda i: i.bits_per_byte) or 0.0, 4)
            for domain in domains
        },
    )
    return line, right


def _trained(arm: Arm, seed: int, folder: Path) -> tuple[Path, int, float]:
    """The adapter's folder, its steps, and the processor seconds of its training, on one thread."""
    from bonsai.train import qlora

    config = load_config(Path("/nonexistent"), {})
    profile = config.profiles["seedling"]
    shipped = profile.recipe
    recipe = replace(
        shipped,
        kl_to_base=shipped.kl_to_base if arm.kl_to_base is None else arm.kl_to_base,
    )
    own = sample_rows("experience.jsonl")
    share = config.training.anchor_share if arm.anchor_share is None else arm.anchor_share
    encoder, form = load_encoder(model_folder(profile.base)), template(recipe.template)
    snapshot = snapshots.build(
        own,
        seedling_facts.samples(recipe.epochs * ceil(len(own) * share / (1 - share)), seed, arm.own_share),
        seed=seed,
        validation_share=0.0,
        anchor_share=share,
        count_tokens=lambda row: encoder.tokens(form, row),
        max_tokens=profile.base.max_tokens,
        anchor_passes=recipe.epochs,
    )
    plan = make_plan(
        "seedling",
        profile.base,
        recipe,
        snapshots.write(snapshot, folder / "snapshot", STARTED),
        device="cpu",
        threads=1,
        seed=seed,
        run_folder=folder / "run",
        adapters_folder=folder / "adapters",
        created_at=STARTED,
    )
    began = time.process_time()
    adapter = qlora.train(plan, lambda _progress: None).path
    seconds = time.process_time() - began
    return adapter, plan.steps, seconds
