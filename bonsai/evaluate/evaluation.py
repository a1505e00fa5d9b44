"""An examination: some models, some sets of questions, one report for each pair; run in a process of its own.

The base is loaded once and its adapters share it. Finished reports lie in `reports_folder` under a name made of
everything they depend on; one that is there is believed only when its canary items reproduce. So an examination that
was killed and is started again goes on where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from bonsai.evaluate import pools, report
from bonsai.evaluate.questions import Item, item_from_values
from bonsai.evaluate.report import Report
from bonsai.evaluate.run import RunSettings
from bonsai.model.bases import Base
from bonsai.system.files import write_json_atomic
from bonsai.system.processes import YIELDING, run_worker

BASE = "base"


@dataclass(frozen=True, slots=True)
class EvaluatedModel:
    """Who is asked."""

    adapter: str
    "Adapter id, or `base`."
    folder: str = ""
    "The adapter's folder; empty for the bare base."


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """What is asked."""

    name: str
    "`v1/selection`, `v1/confirmation`, `v1/score` or `suite`."
    items: tuple[Item, ...]
    dealing: int = 0
    "Of the fixed questions (`bonsai.evaluate.pools`)."


def fixed_question_set(name: str, dealing: int = 0) -> QuestionSet:
    """The sheet of a pool of the fixed questions, e.g. `v1/selection`."""
    return QuestionSet(name, pools.items(name.rpartition("/")[2], dealing), dealing)


@dataclass(frozen=True, slots=True)
class EvaluationRun:
    """Every subject answers every sheet."""

    base: Base
    device: str
    "`cpu` or `cuda`."
    template: str
    "Under which template the bare base is asked; an adapter brings its own."
    subjects: tuple[EvaluatedModel, ...]
    sheets: tuple[QuestionSet, ...]
    settings: RunSettings
    reports_folder: str
    created_at: str
    "ISO 8601, UTC."


@dataclass(frozen=True, slots=True)
class EvaluatedReport:
    """One report, and where it lies."""

    subject: str
    sheet: str
    path: Path
    report: Report


class Evaluator(Protocol):
    """Makes reports."""

    def evaluate(
        self, examination: EvaluationRun, on_progress: Callable[[int, int], None]
    ) -> tuple[EvaluatedReport, ...]:
        """All reports, subject by subject and sheet by sheet; `on_progress` gets (steps done, steps in all).

        Raises IntegrityError for an altered adapter, WorkerDied when the process was killed.
        """


@dataclass(frozen=True, slots=True)
class ProcessEvaluator:
    """`Examiner` on this machine, at low priority."""

    nice: int = YIELDING
    "Priority of the process: 0 is normal, 19 yields to everything."

    def evaluate(
        self, examination: EvaluationRun, on_progress: Callable[[int, int], None]
    ) -> tuple[EvaluatedReport, ...]:
        """Run the worker; the job and its log lie beside the reports."""
        job = job_file(Path(examination.reports_folder), examination.created_at)
        write_json_atomic(job, to_json(examination))

        def show(event: Mapping[str, Any]) -> None:
            if event["type"] == "progress":
                on_progress(int(event["done"]), int(event["total"]))

        done = run_worker("bonsai.evaluate.worker", job, log=job.with_suffix(".log"), on_event=show, nice=self.nice)
        return tuple(_evaluated(made) for made in done["reports"])


def job_file(reports: Path, created_at: str) -> Path:
    """Where the job of that time lies; its log has the suffix `.log`."""
    return reports / "jobs" / f"{created_at.replace(':', '')}.json"


def find(examined: Sequence[EvaluatedReport], subject: str, sheet: str) -> Report:
    """The report of one subject on one sheet. Raises KeyError when it was not asked for."""
    for one in examined:
        if (one.subject, one.sheet) == (subject, sheet):
            return one.report
    raise KeyError((subject, sheet))


def _evaluated(made: Mapping[str, Any]) -> EvaluatedReport:
    path = Path(str(made["path"]))
    return EvaluatedReport(str(made["subject"]), str(made["sheet"]), path, report.read(path))


def to_json(examination: EvaluationRun) -> dict[str, Any]:
    """The examination as JSON values; what a closed pool asks is not among them, the reader looks it up."""
    made: dict[str, Any] = json.loads(json.dumps(asdict(examination)))
    for sheet, values in zip(examination.sheets, made["sheets"], strict=True):
        if pools.is_closed(sheet.name) and sheet == fixed_question_set(sheet.name, sheet.dealing):
            values["items"] = None
    return made


def from_json(values: Mapping[str, Any]) -> EvaluationRun:
    """The examination of `to_json`."""
    parts = {
        "base": Base(**values["base"]),
        "subjects": tuple(EvaluatedModel(**one) for one in values["subjects"]),
        "sheets": tuple(map(_question_set, values["sheets"])),
        "settings": RunSettings(**values["settings"]),
    }
    return EvaluationRun(**{**values, **parts})


def _question_set(values: Mapping[str, Any]) -> QuestionSet:
    if values["items"] is None:
        return fixed_question_set(values["name"], values["dealing"])
    return QuestionSet(values["name"], tuple(map(item_from_values, values["items"])), values["dealing"])
