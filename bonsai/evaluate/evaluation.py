"""Evaluation run: some models, some question sets, one report per pair; executed in its own process.

The base is loaded once and shared by its adapters. Reports in `reports_folder` are named after everything they depend
on; an existing one is trusted only if its consistency checks reproduce. A run that was killed therefore continues
where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bonsai.evaluate import questions, report
from bonsai.evaluate.questions import Item
from bonsai.evaluate.report import Report
from bonsai.evaluate.run import RunSettings
from bonsai.model.bases import Base
from bonsai.system.files import write_json_atomic
from bonsai.system.json_values import from_values, to_values
from bonsai.system.processes import LOWEST_PRIORITY, counting, run_worker

BASE = "base"


@dataclass(frozen=True, slots=True)
class EvaluatedModel:
    """A model to evaluate."""

    adapter: str
    "Adapter id, or `base`."
    folder: str = ""
    "The adapter's folder; empty for the bare base."


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """The items to ask."""

    name: str
    "`v2/selection`, `v2/confirmation`, `v2/score` or `suite`."
    items: tuple[Item, ...]
    dealing: int = 0
    "Number of the split of the fixed questions (`bonsai.evaluate.questions`)."


def fixed_question_set(name: str, dealing: int = 0) -> QuestionSet:
    """Question set of a pool of the fixed questions, e.g. `v2/selection`, in the version that the name says."""
    version, _, pool = name.rpartition("/")
    return QuestionSet(name, questions.items(pool, dealing, version), dealing)


@dataclass(frozen=True, slots=True)
class EvaluationRun:
    """Every model answers every question set."""

    base: Base
    device: str
    "`cpu` or `cuda`."
    template: str
    "Template for the bare base; an adapter brings its own."
    subjects: tuple[EvaluatedModel, ...]
    question_sets: tuple[QuestionSet, ...]
    settings: RunSettings
    reports_folder: str
    created_at: str
    "ISO 8601, UTC."
    preferred: tuple[str, ...] = ()
    "Domains whose items are also scored on another fact's answer; empty: all."


@dataclass(frozen=True, slots=True)
class EvaluatedReport:
    """A report and its path."""

    subject: str
    question_set: str
    path: Path
    report: Report


class Evaluator(Protocol):
    """Produces reports."""

    def evaluate(
        self, evaluation_run: EvaluationRun, on_progress: Callable[[int, int], None]
    ) -> tuple[EvaluatedReport, ...]:
        """All reports, by model and question set; `on_progress` gets (steps done, total steps).

        Raises IntegrityError for an altered adapter, WorkerDied if the process was killed.
        """


@dataclass(frozen=True, slots=True)
class ProcessEvaluator:
    """`Evaluator` in a process of its own on this machine, at low priority."""

    nice: int = LOWEST_PRIORITY
    "Process priority: 0 is normal, 19 the lowest."

    def evaluate(
        self, evaluation_run: EvaluationRun, on_progress: Callable[[int, int], None]
    ) -> tuple[EvaluatedReport, ...]:
        """Run the worker; its job file and log are kept beside the reports."""
        job = job_file(Path(evaluation_run.reports_folder), evaluation_run.created_at)
        write_json_atomic(job, to_json(evaluation_run))

        log, on_event = job.with_suffix(".log"), counting(on_progress)
        done = run_worker("bonsai.evaluate.worker", job, log=log, on_event=on_event, nice=self.nice)
        return tuple(_evaluated(made) for made in done["reports"])


def job_file(reports: Path, created_at: str) -> Path:
    """Job file of a run; its log has the suffix `.log`."""
    return reports / "jobs" / f"{created_at.replace(':', '')}.json"


def find_report(reports: Sequence[EvaluatedReport], subject: str, question_set: str) -> Report:
    """The report of one model on one question set. Raises KeyError if it was not requested."""
    for one in reports:
        if (one.subject, one.question_set) == (subject, question_set):
            return one.report
    raise KeyError((subject, question_set))


def _evaluated(made: Mapping[str, Any]) -> EvaluatedReport:
    path = Path(str(made["path"]))
    return EvaluatedReport(str(made["subject"]), str(made["question_set"]), path, report.read(path))


def to_json(evaluation_run: EvaluationRun) -> dict[str, Any]:
    """The run as JSON values, without the items of closed pools; the reader looks those up."""
    made: dict[str, Any] = to_values(evaluation_run)
    for one, values in zip(evaluation_run.question_sets, made["question_sets"], strict=True):
        if questions.is_closed(one.name) and one == fixed_question_set(one.name, one.dealing):
            values["items"] = None
    return made


def from_json(values: Mapping[str, Any]) -> EvaluationRun:
    """The run of `to_json`."""
    question_sets = [
        fixed_question_set(one["name"], one["dealing"]) if one["items"] is None else one
        for one in values["question_sets"]
    ]
    return from_values(EvaluationRun, {**values, "question_sets": question_sets})
