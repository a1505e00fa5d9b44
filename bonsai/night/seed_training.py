"""Train own rows with a seed of their own and compare seeds: for a calibration, and for the twin of a cold night.

Seeds of one recipe learn the same own rows from the base; LoRA weights, order and replay samples differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import ceil
from pathlib import Path

from bonsai.context import Bonsai
from bonsai.domain import snapshots
from bonsai.domain.snapshots import Example
from bonsai.errors import IntegrityError
from bonsai.evaluate import questions
from bonsai.evaluate.evaluation import EvaluatedReport, EvaluationRun, find_report
from bonsai.gate.calibration import Matrix, seed_gains
from bonsai.gate.decision import Policy
from bonsai.model.bases import Base, find_device, model_folder
from bonsai.model.encoding import load_encoder
from bonsai.model.native import template_of
from bonsai.night import evaluation_job
from bonsai.night.device_lock import alone_on_device
from bonsai.system.progress import Progress, Report, ResourceUsage
from bonsai.train.plan import AdapterFolder, Recipe, TrainingPlan, TrainingProgress, make_plan
from bonsai.train.replay import ReplaySource, replay_samples


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one adapter learns."""

    name: str
    "Of its folder: `seed-8` or `form`."
    seed: int
    own: tuple[Example, ...]
    replay_share: float
    "Share of replay samples in each pass."


def train_lesson(
    b: Bonsai,
    profile: str,
    base: Base,
    recipe: Recipe,
    source: ReplaySource,
    lesson: Lesson,
    folder: Path,
    now: datetime,
    tell: Report,
) -> AdapterFolder:
    """Train into `folder`, from the base. What is there and verifies stays as it is; a killed training goes on."""
    try:
        return evaluation_job.read_adapter(folder)
    except IntegrityError:
        pass  # not trained yet, or altered since
    encoder, form = load_encoder(model_folder(base)), template_of(model_folder(base), recipe.template)
    share = lesson.replay_share
    wanted = recipe.epochs * ceil(len(lesson.own) * share / (1 - share))
    built = snapshots.build(
        lesson.own,
        replay_samples(source, wanted, lesson.seed) if wanted else [],
        seed=lesson.seed,
        validation_share=0.0,
        anchor_share=share,
        count_tokens=partial(encoder.tokens, form),
        max_tokens=base.max_tokens,
        anchor_passes=recipe.epochs,
    )
    (folder / "adapters").mkdir(parents=True, exist_ok=True)
    training = make_plan(
        profile,
        base,
        recipe,
        snapshots.write(built, folder / "snapshot", now),
        device=find_device().kind,
        threads=b.config.training.threads,
        seed=lesson.seed,
        run_folder=folder / "run",
        adapters_folder=folder / "adapters",
        created_at=now,
        processes=b.config.training.processes,
    )
    made = train_alone(b, training, tell)
    evaluation_job.write_adapter(folder, made)
    return made


def train_alone(b: Bonsai, plan: TrainingPlan, report: Report) -> AdapterFolder:
    """Run a plan when no other training runs on its device; resumes from its last checkpoint."""
    gpus = plan.processes if plan.device == "cuda" else 0

    def show(progress: TrainingProgress) -> None:
        used = ResourceUsage(progress.tokens, progress.memory_bytes, progress.gpu_memory_bytes, gpus)
        report(Progress("train", progress.step, progress.steps, progress.loss, progress.eta_seconds, used))

    waiting = Progress("train", 0, plan.steps)
    with alone_on_device(b.home, plan.device, plan.processes, lambda: report(waiting)):
        return b.trainer.train(plan, show)


def measured_gains(
    b: Bonsai,
    evaluation_run: EvaluationRun,
    seeds: Sequence[AdapterFolder],
    policy: Policy,
    left_out: frozenset[str],
    step: str,
    tell: Report,
) -> tuple[tuple[EvaluatedReport, ...], dict[str, Matrix]]:
    """All reports of the run, and the gains beyond control of each of `seeds` over each other, by claim.

    `left_out`: ids of items that do not count. Progress is told under the name `step`.
    """
    with alone_on_device(b.home, evaluation_run.device, 1, lambda: tell(Progress(step, 0, 1))):
        reports = b.evaluator.evaluate(evaluation_run, lambda done, total: tell(Progress(step, done, total)))
    asked = {one.name for one in evaluation_run.question_sets}
    fixed, personal = (
        [find_report(reports, one.id, name) for one in seeds] if name in asked else []
        for name in (evaluation_job.SELECTION, evaluation_job.PERSONAL)
    )
    return reports, seed_gains(fixed, personal, policy, questions.open_and_sealed_ids(left_out))
