"""The twin of a cold night: the same own rows with a second seed, which shows how far luck alone can differ.

Twins calibrate a base night by night, at the price of a second training each (`gate.twins`). The twin is compared with
the night's challenger, its gains go to `calibrations/twins/`, and it is removed: it learned the owner's records.
"""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

from bonsai.context import Bonsai
from bonsai.domain import snapshots
from bonsai.evaluate.evaluation import (
    EvaluatedModel,
    EvaluationRun,
    QuestionSet,
    fixed_question_set,
)
from bonsai.evaluate.replay_maker import source_of
from bonsai.gate import calibration
from bonsai.gate.calibration import Twin
from bonsai.night import evaluation_job
from bonsai.night.seed_training import Lesson, measured_gains, train_lesson
from bonsai.system.progress import Report

STEP = "twin"


def wants_twin(b: Bonsai, night: str) -> bool:
    """Whether the night's job asks for a twin."""
    return evaluation_job.read_job(b.places.runs / night).twin_seed is not None


def train_twin(b: Bonsai, night: str, report: Report, now: datetime) -> None:
    """Train the second seed, compare it with the challenger, keep the gains. Safe to repeat after a kill."""
    run = b.places.runs / night
    job, challenger = evaluation_job.read_job(run), evaluation_job.read_adapter(run)
    if job.twin_seed is None:
        return
    base, recipe = job.plan.base, job.plan.recipe
    source = source_of(base, recipe.template, b.places.replay)
    learned = snapshots.read(Path(job.plan.snapshot_folder)).train
    own = tuple(one for one in learned if one.role == "own")
    lesson = Lesson(STEP, job.twin_seed, own, b.config.training.anchor_share)
    twin = train_lesson(b, job.plan.profile, base, recipe, source, lesson, run / STEP, now, report)
    asked = [fixed_question_set(evaluation_job.SELECTION, job.dealing)]
    asked += [QuestionSet(evaluation_job.PERSONAL, job.suite)] if job.suite else []
    pair = (challenger, twin)
    evaluation_run = EvaluationRun(
        base=base,
        device=job.plan.device,
        template=recipe.template,
        subjects=tuple(EvaluatedModel(one.id, str(one.path)) for one in pair),
        question_sets=tuple(asked),
        settings=job.settings,
        reports_folder=job.reports_folder,
        created_at=job.created_at,
        preferred=job.policy.preferred,
    )
    _, gains = measured_gains(b, evaluation_run, pair, job.policy, frozenset(job.left_out), STEP, report)
    measured = {claim: float(matrix[0, 1]) for claim, matrix in gains.items()}
    calibration.add_twin(b.places.calibrations, base, recipe, Twin(night, measured, now.isoformat()))
    shutil.rmtree(run / STEP)
