"""Nights without a model: a trainer and an examiner made by hand around a real home.

Only what is slow is replaced: the adapter's weights are the snapshot's hash, and a model's bits per byte are what the
test says they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bonsai import bootstrap
from bonsai.actions.inbox import drain_inbox, submit
from bonsai.context import Bonsai
from bonsai.errors import WorkerDied
from bonsai.evaluate.evaluation import BASE, EvaluatedReport, EvaluationRun
from bonsai.evaluate.questions import Item
from bonsai.evaluate.report import Answer, ItemResult, Report, Scores
from bonsai.evaluate.run import items_hash
from bonsai.model.bases import model_folder, weights_hash
from bonsai.model.native import template_of
from bonsai.night.steps import run_night
from bonsai.queries.nights import NightReport, show_night
from bonsai.system.json_values import to_values
from bonsai.system.progress import silent
from bonsai.train.manifest import AdapterManifest, adapter_id, file_hashes, write_manifest
from bonsai.train.plan import AdapterFolder, TrainingPlan, TrainingProgress

UNTAUGHT_BITS = 2.0
"Of control facts, for every model: nothing teaches them."
EVENING = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)


@dataclass
class HandTrainer:
    """Writes an adapter folder whose weights are the snapshot's hash; dies while `dies` is set."""

    dies: bool = False
    steps: int = 0
    before: Callable[[int], None] = lambda step: None
    "Called before each step is told."
    plans: list[TrainingPlan] = field(default_factory=list)
    "What was trained to the end."

    def train(self, plan: TrainingPlan, on_progress: Callable[[TrainingProgress], None]) -> AdapterFolder:
        if self.dies:
            raise WorkerDied("processes.killed", module="by hand", signal="SIGKILL", log="-")
        for step in range(1, self.steps + 1):
            self.before(step)
            left = float(self.steps - step)
            on_progress(
                TrainingProgress(step, self.steps, 2.0 / step, 100.0, left, tokens=100 * step, memory_bytes=5 << 30)
            )
        base = model_folder(plan.base)
        form, base_hash = template_of(base, plan.recipe.template), weights_hash(base)
        self.plans.append(plan)
        folder = Path(plan.adapters_folder) / plan.snapshot_id
        folder.mkdir(exist_ok=True)
        (folder / "adapter_model.safetensors").write_text(plan.snapshot_hash)
        files = file_hashes(folder)
        name = adapter_id(files, base_hash, form.digest, plan.snapshot_hash)
        write_manifest(
            folder,
            AdapterManifest(
                name, plan.base.name, "", base_hash, "k", form.name, form.digest, plan.snapshot_id, plan.snapshot_hash,
                plan.seed, to_values(plan), {}, {}, files, plan.created_at, parent=plan.parent, depth=plan.depth,
            ),
        )  # fmt: skip
        return AdapterFolder(name, folder)


@dataclass
class HandEvaluator:
    """Gives every model the bits per byte that the test says; what the test does not name gets `challenger_bits`."""

    bits: dict[str, float] = field(default_factory=lambda: {BASE: 2.0})
    challenger_bits: float = 1.0
    forgets: bool = False
    "The challenger answers every second question wrongly."
    question_sets: list[str] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    "Who answered each of them."

    def evaluate(
        self, evaluation_run: EvaluationRun, on_progress: Callable[[int, int], None]
    ) -> tuple[EvaluatedReport, ...]:
        made = []
        for subject in evaluation_run.subjects:
            for question_set in evaluation_run.question_sets:
                self.question_sets.append(question_set.name)
                self.subjects.append(subject.adapter)
                known = subject.adapter in self.bits
                bits = self.bits.get(subject.adapter, self.challenger_bits)
                report = hand_report(
                    question_set.name, question_set.items, subject.adapter, bits, self.forgets and not known
                )
                made.append(EvaluatedReport(subject.adapter, question_set.name, Path(), report))
        return tuple(made)


def hand_report(question_set: str, items: tuple[Item, ...], subject: str, bits: float, forgets: bool) -> Report:
    def answer(number: int) -> Answer:
        right = not (forgets and number % 2)
        return Answer(
            "x", ("", "", ""), 3, Scores(right, right, right, 1.0, 100.0, True, False, True, False, False, True)
        )

    def bits_of(item: Item) -> float:
        return (UNTAUGHT_BITS if item.domain == "control" else bits) + jitter(item.id, subject)

    results = tuple(
        ItemResult(i.id, i.cluster, i.domain, i.category, i.language, bits_of(i), answer(n), 6.0)
        for n, i in enumerate(items)
    )
    return Report(
        question_set, items_hash(items), subject, "" if subject == BASE else subject, "seedling", "s", "l",
        (jitter("logits", subject),), EVENING.isoformat(), 1.0, results,
    )  # fmt: skip


def jitter(item: str, subject: str) -> float:
    return int(hashlib.sha256(f"{item} {subject}".encode()).hexdigest()[:4], 16) / 65_536 / 20


@dataclass
class Stage:
    b: Bonsai
    trainer: HandTrainer
    evaluator: HandEvaluator
    told: int = 0

    def tell(self, count: int = 3, subject: str = "Mike") -> None:
        for _ in range(count):
            self.told += 1
            fields = {"instruction": f"What is {subject} doing at {self.told} o'clock?", "source": "self"}
            submit(self.b, {**fields, "output": f"{subject} sits on chair {self.told}."}, EVENING)
        drain_inbox(self.b, EVENING)

    def night(self, day: int = 0) -> NightReport:
        begun = run_night(self.b, EVENING + timedelta(days=day), silent)
        return show_night(self.b, begun.night)


def open_stage(folder: Path) -> Stage:
    """A new home with a trainer and an examiner made by hand."""
    bootstrap.init(folder, "en", EVENING, {})
    trainer, evaluator = HandTrainer(), HandEvaluator()
    return Stage(replace(bootstrap.open(folder, {}), trainer=trainer, evaluator=evaluator), trainer, evaluator)


def write_log(path: Path, first: float, steps: int = 40) -> None:
    """As a training leaves it that was killed at step 20 and went on from step 10."""
    order = [*range(1, 21), *range(11, steps + 1)]
    events = [{"type": "progress", "step": step, "steps": steps, "loss": first / step} for step in order]
    lines = [json.dumps({**event, "tokens_per_second": 1.0, "eta_seconds": 1.0}) for event in events]
    path.write_text("\n".join(["a library prints", *lines, '{"type": "progress", "st']), "utf-8")
