"""Calibration of the gate: train one recipe with several seeds, and the form of answers alone; fit the minimum gains.

    calibrations/unfinished/<data>/seed-8/   snapshot, run and adapter of one seed
                                   form/     the same of the form adapter
                                   reports/
    calibrations/forms/<adapter>/            form adapter of a finished calibration
    calibrations/<base>-<recipe>.json        written last: from then on nights use it

All seeds learn the same own records, from the base; LoRA weights, order and replay samples differ. Killed anywhere, the
next call goes on. The seeds learned the owner's records and are of no further use, so they are removed at the end, and
when a record is forgotten.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bonsai.config.settings import ProfileSettings
from bonsai.context import Bonsai
from bonsai.domain import snapshots
from bonsai.domain.snapshots import Example
from bonsai.errors import IntegrityError, LockTimeout, UsageError
from bonsai.evaluate.evaluation import (
    EvaluatedModel,
    EvaluationRun,
    QuestionSet,
    fixed_question_set,
)
from bonsai.evaluate.questions import Item
from bonsai.evaluate.replay_maker import source_of
from bonsai.gate import calibration
from bonsai.gate.calibration import Calibration
from bonsai.model.bases import find_device
from bonsai.night import evaluation_job
from bonsai.night.seed_training import Lesson, measured_gains, train_lesson
from bonsai.night.status import reported_steps, step_seconds
from bonsai.system.files import copy_atomic, sha256_json, sync_folder
from bonsai.system.json_values import from_values
from bonsai.system.locks import file_lock
from bonsai.system.progress import Progress, Report, silent
from bonsai.train.manifest import read_manifest
from bonsai.train.plan import AdapterFolder
from bonsai.train.replay import ReplaySource, replay_samples
from storage.home import Home
from storage.tables import (
    holdout_access_table,
    nights_table,
    personal_set_table,
    snapshots_table,
    tombstones_table,
)
from storage.tables.nights_table import Night

MIN_SEEDS = 3
MIN_FORM_ROWS = 200
"Fewer rows do not teach the form of the answers."
FORM = "form"


@dataclass(frozen=True, slots=True)
class CalibrationPlan:
    """What a calibration will do."""

    profile: str
    settings: ProfileSettings
    source: ReplaySource
    lessons: tuple[Lesson, ...]
    "The seeds, then the form adapter, if the base has anything to replay."
    learned: str
    "The adapter of the newest night, which learned the same records."
    folder: Path
    "Of the unfinished calibration."
    trained: int
    "Adapters that an interrupted call has trained."
    seconds_each: float | None
    "Training and evaluation in the newest night; None if its times are not known."

    @property
    def seeds(self) -> int:
        """How many seeds are compared."""
        return sum(one.name != FORM for one in self.lessons)

    @property
    def form_rows(self) -> int:
        """Rows of the form adapter; 0 without one."""
        return sum(len(one.own) for one in self.lessons if one.name == FORM)

    @property
    def seconds(self) -> float | None:
        """About how long it takes; None if that is not known."""
        return None if self.seconds_each is None else self.seconds_each * (len(self.lessons) - self.trained)


def plan_calibration(b: Bonsai, seeds: int) -> CalibrationPlan:
    """Plan a calibration from the newest night that trained. Changes nothing.

    Raises UsageError when no night has trained, its snapshot was erased, or this base has not yet given the answers
    that it replays; ConfigError when the base is not on this machine.
    """
    profile, settings = b.find_profile(), b.config.training
    chosen = b.config.profiles[profile]
    source = source_of(chosen.base, chosen.recipe.template, b.places.replay)
    night = _newest_night(b)
    own = _own_rows(b, night)
    if isinstance(source, Path) and not source.is_file():
        raise UsageError("gate.no_replay", base=chosen.base.name)
    lessons = [
        Lesson(f"seed-{seed}", seed, own, settings.anchor_share)
        for seed in range(settings.seed + 1, settings.seed + 1 + seeds)
    ]
    form = _form_rows(source, max(len(own), MIN_FORM_ROWS), settings.seed)
    lessons += [Lesson(FORM, settings.seed, form, 0.0)] if form else []
    recipe = calibration.recipe_hash(chosen.base, chosen.recipe)
    rows = sorted(one.record_id for one in own)
    data = sha256_json([recipe, night.outcome.snapshot_id, rows, str(source), settings.anchor_share, settings.seed])
    folder = b.places.unfinished_calibrations / data[:16]
    trained = sum((folder / one.name / "adapter.json").is_file() for one in lessons)
    return CalibrationPlan(
        profile, chosen, source, tuple(lessons), night.outcome.challenger, folder, trained, _seconds(night)
    )


def _newest_night(b: Bonsai) -> Night:
    with b.database.reading() as con:
        night = nights_table.latest_trained(con)
    if night is None:
        raise UsageError("gate.no_night")
    return night


def _own_rows(b: Bonsai, night: Night) -> tuple[Example, ...]:
    """The own rows that the night learned, without what was forgotten since."""
    with b.database.reading() as con:
        folder = Path(snapshots_table.get(con, night.outcome.snapshot_id).folder)
        forgotten = tombstones_table.known(con, snapshots_table.record_ids(con, night.outcome.snapshot_id))
    whole = (folder / snapshots.MANIFEST).is_file()
    learned = [one for one in snapshots.read(folder).train if one.role != "anchor"] if whole else []
    rows = tuple(replace(one, role="own") for one in learned if one.record_id not in forgotten)
    if not rows:
        raise UsageError("gate.snapshot_erased", night=night.key)
    return rows


def _form_rows(source: ReplaySource, count: int, seed: int) -> tuple[Example, ...]:
    """Up to `count` different replay samples, to be taught as own rows."""
    drawn = {one.record_id: replace(one, role="own") for one in replay_samples(source, 2 * count, seed)}
    return tuple(drawn.values())[:count]


def _seconds(night: Night) -> float | None:
    """What training and evaluating one adapter took."""
    steps = step_seconds(reported_steps(night.outcome.report or {}))
    return steps.get("train", 0.0) + steps.get("benchmark", 0.0) if "train" in steps else None


def calibrate(b: Bonsai, seeds: int, now: datetime, tell: Report = silent) -> Calibration:
    """Train what is missing, evaluate, fit, and write the calibration that the next night uses.

    Raises what `plan_calibration` does, LockTimeout while another process calibrates this home, and what trainings
    and evaluations raise; then the next call goes on.
    """
    if seeds < MIN_SEEDS:
        raise ValueError(f"{seeds} seeds are too few; at least {MIN_SEEDS} are needed")
    with _alone(b.places):
        plan = plan_calibration(b, seeds)
        for other in b.places.unfinished_calibrations.glob("*"):
            if other != plan.folder:
                shutil.rmtree(other)
        trained = _train_all(b, plan, now, tell)
        form = trained.pop(FORM, None)
        made = _fitted(b, plan, list(trained.values()), form, now, tell)
        if form:
            made = replace(made, form=str(_published(b.places, form).relative_to(b.home)))
        calibration.write(b.places.calibrations, made)
        shutil.rmtree(b.places.unfinished_calibrations)
        _remove_unused_forms(b)
    return made


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """One calibration of a home at a time. Raises LockTimeout."""
    home.unfinished_calibrations.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(file_lock(home.calibration_lock, exclusive=True, wait_seconds=0))
        except LockTimeout:
            raise LockTimeout("gate.calibration_runs") from None
        yield


def _train_all(b: Bonsai, plan: CalibrationPlan, now: datetime, tell: Report) -> dict[str, AdapterFolder]:
    """By lesson; what is there is not trained again."""
    count, base, recipe = len(plan.lessons), plan.settings.base, plan.settings.recipe
    trained: dict[str, AdapterFolder] = {}
    for lesson in plan.lessons:
        tell(Progress("calibrate", len(trained), count))
        folder = plan.folder / lesson.name
        trained[lesson.name] = train_lesson(b, plan.profile, base, recipe, plan.source, lesson, folder, now, tell)
    tell(Progress("calibrate", count, count))
    return trained


def _fitted(
    b: Bonsai,
    plan: CalibrationPlan,
    seeds: Sequence[AdapterFolder],
    form: AdapterFolder | None,
    now: datetime,
    tell: Report,
) -> Calibration:
    """Evaluate all on selection and personal set, and fit the minima from the seeds."""
    with b.database.reading() as con:
        dealing = holdout_access_table.rotation(con)
        items = tuple(from_values(Item, one.item) for one in personal_set_table.active_items(con))
        retired = personal_set_table.retired_fixed_items(con)
        left_out = retired | personal_set_table.trained_items(con, [plan.learned])
    asked = [fixed_question_set(evaluation_job.SELECTION, dealing)]
    asked += [QuestionSet(evaluation_job.PERSONAL, items)] if items else []
    policy = b.config.gate.policy
    evaluation_run = EvaluationRun(
        base=plan.settings.base,
        device=find_device().kind,
        template=plan.settings.recipe.template,
        subjects=tuple(EvaluatedModel(one.id, str(one.path)) for one in [*seeds, *([form] if form else [])]),
        question_sets=tuple(asked),
        settings=b.config.benchmark,
        reports_folder=str(plan.folder / "reports"),
        created_at=now.isoformat(),
        preferred=policy.preferred,
    )
    reports, gains = measured_gains(b, evaluation_run, seeds, policy, left_out, "benchmark", tell)
    for one in reports:
        if form and one.subject == form.id and one.path.is_file():
            copy_atomic(one.path, b.places.reports / one.path.name)  # the next night need not ask it again
    return calibration.fit(plan.settings.base, plan.settings.recipe, gains, policy, now.isoformat())


def _published(home: Home, form: AdapterFolder) -> Path:
    """Copy the form adapter to where nights find it, whole or not at all."""
    folder = home.forms / form.id
    try:
        read_manifest(folder)
    except IntegrityError:
        shutil.rmtree(folder, ignore_errors=True)
        copy = home.forms / f".unfinished-{form.id}"
        shutil.rmtree(copy, ignore_errors=True)
        for file in form.path.iterdir():
            copy_atomic(file, copy / file.name)
        copy.rename(folder)
        sync_folder(home.forms)
    return folder


def _remove_unused_forms(b: Bonsai) -> None:
    """Remove the form adapters that no calibration names, unless a night runs, which may have begun with one."""
    with b.database.reading() as con:
        if any(one.outcome.status == "running" for one in nights_table.list_nights(con)):
            return
    named = {b.home / one.form for one in calibration.read_all(b.places.calibrations) if one.form}
    for folder in b.places.forms.glob("*"):
        if folder not in named:
            shutil.rmtree(folder)
