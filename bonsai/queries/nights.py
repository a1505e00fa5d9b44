"""Nights: list, full reports, progress of the running one, and log files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from bonsai.context import Bonsai
from bonsai.domain.reasons import Reason, reason_from_json
from bonsai.errors import IntegrityError, UnknownId
from bonsai.evaluate.evaluation import job_file
from bonsai.gate.decision import render
from bonsai.i18n import TextLanguage
from bonsai.night import evaluation_job
from bonsai.night.status import reported_steps, step_seconds
from bonsai.schemas.nights import Cost, StepTime
from bonsai.system.locks import may_be_running
from storage import night_status
from storage.night_status import NightStatus
from storage.tables import nights_table, snapshots_table
from storage.tables.nights_table import Night

Accuracy = Mapping[str, Mapping[str, Mapping[str, float | None]]]
"Domain -> language -> `before` (champion) and `after` (challenger), each 0 to 1."


@dataclass(frozen=True, slots=True)
class NightReport:
    """One night, as the terminal and the dashboard show it."""

    night: str
    status: str
    verdict: str
    "The gate's verdict; empty if nothing was judged."
    reasons: tuple[Reason, ...]
    challenger: str
    champion: str
    "Champion before the night."
    accuracy: Accuracy
    "On the selection pool."
    suite: Accuracy
    "On the personal set; empty without one."
    gate: Mapping[str, Any]
    "Holdout accesses so far, and how many facts the personal set lacks to decide."
    started_at: datetime
    finished_at: datetime | None
    start: str = ""
    "`cold` or `warm`; empty if nothing was trained."
    parent: str = ""
    "Adapter that a warm start trained from."
    why: tuple[Reason, ...] = ()
    "Reasons for the kind of start, the choice of records, and what a base other than the seedling replays."

    def why_in(self, language: TextLanguage) -> str:
        """The reasons as one text."""
        return "; ".join(render(one, language) for one in self.why)

    def reasons_in(self, language: TextLanguage) -> list[str]:
        """Each reason as a sentence."""
        return [render(reason, language) for reason in self.reasons]


def list_nights(b: Bonsai, limit: int | None) -> list[NightReport]:
    """Newest first."""
    with b.database.reading() as con:
        return [night_report(night) for night in nights_table.list_nights(con, limit)]


def show_night(b: Bonsai, night: str) -> NightReport:
    """By id or an unambiguous prefix. Raises UnknownId, UsageError."""
    with b.database.reading() as con:
        return night_report(nights_table.get(con, nights_table.resolve(con, night)))


def night_report(night: Night) -> NightReport:
    """The report of a stored night."""
    outcome = night.outcome
    training = _mapping((outcome.report or {}).get("training"))
    return NightReport(
        night=night.key,
        status=outcome.status,
        verdict=outcome.verdict,
        reasons=tuple(map(reason_from_json, outcome.reasons)),
        challenger=outcome.challenger,
        champion=outcome.champion,
        accuracy=_mapping((outcome.report or {}).get("accuracy")),
        suite=_mapping((outcome.report or {}).get("suite")),
        gate=_mapping((outcome.report or {}).get("gate")),
        started_at=night.started_at,
        finished_at=night.finished_at,
        start=str(training.get("start", "")),
        parent=str(training.get("parent", "")),
        why=tuple(
            reason_from_json({"key": training[part], "values": training["values"]})
            for part in ("why", "what", "replay")
            if training.get(part)
        ),
    )


def _mapping(value: object) -> Accuracy:
    return value if isinstance(value, Mapping) else {}


STEPS = ("snapshot", "train", "benchmark", "decide", "promote")
"Of every night."
ALL_STEPS = ("replay", "snapshot", "train", "benchmark", "twin", "decide", "promote")
"`replay` only before the first night of a base other than the seedling, `twin` where a second seed is trained."
ON_ACCELERATOR = ("replay", "train", "benchmark", "twin")
LOGS = ("training", "benchmark")
TAIL_BYTES = 64 * 1024
State = Literal["running", "cancelling", "interrupted", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What a night was trained on."""

    snapshot: str
    own: int
    anchors: int
    "Replay samples: general records against forgetting."
    kinds: Mapping[tuple[str, str], int]
    "(language, category) -> own records, by their current tags."


@dataclass(frozen=True, slots=True)
class NightDetail:
    """A night with its steps, training data and state."""

    report: NightReport
    steps: tuple[StepTime, ...]
    "Over all attempts, oldest first."
    cost: Cost
    learned: TrainingData | None
    "None for a night without new records."
    state: str
    "Its status; `interrupted` if its process died, `cancelling` if a stop was requested."

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds per step, summed over attempts."""
        return step_seconds(self.steps)

    @property
    def gpu_seconds(self) -> float:
        """Accelerator seconds times the number of training GPUs; 0 on a CPU."""
        return self.cost.gpus * sum(self.seconds.get(step, 0.0) for step in ON_ACCELERATOR)


@dataclass(frozen=True, slots=True)
class NightProgress:
    """Progress of a night."""

    status: NightStatus
    state: State
    seconds_left: float | None
    "Estimate until the verdict; None if unknown."


def night_detail(b: Bonsai, night: str) -> NightDetail:
    """By id or an unambiguous prefix. Raises UnknownId, UsageError."""
    report = show_night(b, night)
    run = b.places.runs / report.night
    status = night_status.read(run)
    with b.database.reading() as con:
        stored = nights_table.get(con, report.night)
        snapshot = stored.outcome.snapshot_id or _planned_snapshot(run)
        learned = _learned(snapshots_table.contents(con, snapshot)) if snapshot else None
    kept: Mapping[str, Any] = stored.outcome.report or {}
    running = report.status == "running"
    return NightDetail(
        report=report,
        steps=status.steps if running and status else reported_steps(kept),
        cost=status.cost if running and status else Cost(**kept.get("cost", {})),
        learned=learned,
        state=_state(run, stored.holder) if running else report.status,
    )


def _state(run: Path, holder: str) -> State:
    if not may_be_running(holder):
        return "interrupted"
    return "cancelling" if night_status.cancel_request(run) else "running"


def _planned_snapshot(run: Path) -> str:
    try:
        return evaluation_job.read_job(run).plan.snapshot_id
    except (IntegrityError, ValueError, KeyError, TypeError):
        return ""


def _learned(held: snapshots_table.SnapshotContents | None) -> TrainingData | None:
    return TrainingData(held.snapshot, held.own, held.anchors, held.kinds) if held else None


def nights_between(b: Bonsai, start: datetime, end: datetime) -> list[NightReport]:
    """Nights that began in the interval, newest first."""
    with b.database.reading() as con:
        return [night_report(one) for one in nights_table.between(con, start, end)]


def first_night(b: Bonsai) -> datetime | None:
    """Start of the first night."""
    with b.database.reading() as con:
        return nights_table.first(con)


def running_night(b: Bonsai) -> NightProgress | None:
    """Progress of the running night; reads no database."""
    status = night_status.newest(b.places.runs)
    return _progress(b.places.runs / status.night, status) if status and night_status.is_running(status) else None


def night_progress(b: Bonsai, night: str) -> NightProgress:
    """Progress of a night; reads no database. Raises UnknownId if it never ran in this home."""
    run = b.places.runs / night
    status = night_status.read(run) if night_status.KEY.fullmatch(night) else None
    if status is None:
        raise UnknownId("storage.unknown_night", id=night)
    return _progress(run, status)


def _progress(run: Path, status: NightStatus) -> NightProgress:
    if status.ended:
        return NightProgress(status, status.ended, None)
    state = _state(run, status.holder)
    return NightProgress(status, state, None if state == "interrupted" else seconds_left(status))


def seconds_left(status: NightStatus) -> float | None:
    """Estimate for the current step (its own, its pace, or the last night's) plus the last night's later steps."""
    step = status.step
    if step is None:
        return None
    spent = (status.updated_at - step.started_at).total_seconds()
    left = status.seconds_left
    if left is None and status.done and status.total:
        left = spent * (status.total - status.done) / status.done
    if left is None and step.name in status.usual_seconds:
        left = max(status.usual_seconds[step.name] - spent, 0.0)
    if left is None or step.name not in ALL_STEPS:
        return None
    later = ALL_STEPS[ALL_STEPS.index(step.name) + 1 :]
    return left + sum(status.usual_seconds.get(name, 0.0) for name in later)


def log_file(b: Bonsai, night: str, log: str) -> Path:
    """Path of a night's training or evaluation log. Raises UnknownId if there is none."""
    run = b.places.runs / night
    if night_status.KEY.fullmatch(night) and log in LOGS:
        path = run / "log.txt" if log == "training" else _benchmark_log(run)
        if path and path.is_file():
            return path
    raise UnknownId("nights.no_log", night=night, log=log, valid=", ".join(LOGS))


def _benchmark_log(run: Path) -> Path | None:
    try:
        job = evaluation_job.read_job(run)
    except (IntegrityError, ValueError, KeyError, TypeError):
        return None
    return job_file(Path(job.reports_folder), job.created_at).with_suffix(".log")


def logs_of(b: Bonsai, night: str) -> list[str]:
    """Names of the logs that exist."""
    found = []
    for log in LOGS:
        try:
            log_file(b, night, log)
        except UnknownId:
            continue
        found.append(log)
    return found


def tail(path: Path, most_lines: int) -> Sequence[str]:
    """The last lines of a log, from at most its last 64 KiB; invalid UTF-8 is replaced."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - TAIL_BYTES, 0))
        lines = file.read(TAIL_BYTES).decode("utf-8", "replace").splitlines()
    whole = lines[1:] if size > TAIL_BYTES and len(lines) > 1 else lines
    return whole[-most_lines:]
