"""Worker process of an evaluation run: `python -m bonsai.evaluate.worker JOB.json`. Loads the model libraries.

Writes JSON Lines to its parent (`bonsai.system.processes`). Every report is written as soon as it is complete.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bonsai.errors import BenchmarkError
from bonsai.evaluate import questions, report
from bonsai.evaluate.evaluation import EvaluatedModel, EvaluationRun, QuestionSet, from_json
from bonsai.evaluate.report import Report
from bonsai.evaluate.run import ReportMetadata, items_hash, library_fingerprint, reproduces, run
from bonsai.evaluate.scoring import SCORING_VERSION
from bonsai.model.answerer import Answerer
from bonsai.model.bases import model_folder, weights_hash
from bonsai.system.files import sha256_json
from bonsai.system.processes import Emit, serve

_MEASURED = "distractors"
"What reports of version 0.1.0 lack: they are read, and not used again."
_STEPS = 100
"Shares of a report that are told apart in its progress."
HEARTBEAT_SECONDS = 0.5
"Between two progress events while nothing else is done: a cancelled night is noticed at one."


@dataclass(frozen=True, slots=True)
class Session:
    """What all reports of one run share."""

    evaluation_run: EvaluationRun
    settings_hash: str
    fingerprint: str

    def about(self, subject: EvaluatedModel, question_set: QuestionSet) -> ReportMetadata:
        """Metadata of one report."""
        adapter_hash = subject.adapter if subject.folder else ""  # an adapter's id is a hash of its content
        one = self.evaluation_run
        return ReportMetadata(
            question_set.name, subject.adapter, adapter_hash, one.base.name, self.settings_hash, self.fingerprint,
            one.created_at,
        )  # fmt: skip

    def path(self, subject: EvaluatedModel, question_set: QuestionSet) -> Path:
        """Path of the report: a name made of everything it depends on."""
        about = {**asdict(self.about(subject, question_set)), "created_at": ""}
        template = "" if subject.folder else self.evaluation_run.template
        key = sha256_json([about, template, items_hash(question_set.items), report.REPORT_FORMAT, _MEASURED])[:16]
        return (
            Path(self.evaluation_run.reports_folder)
            / f"{subject.adapter}-{question_set.name.replace('/', '-')}-{key}.json"
        )


def open_session(evaluation_run: EvaluationRun, batch: int) -> Session:
    """Record what the reports depend on: weights, generation settings, questions answered at once, libraries."""
    base = replace(evaluation_run.base, generation_batch=batch)
    dependencies = [asdict(base), weights_hash(model_folder(base)), asdict(evaluation_run.settings), SCORING_VERSION]
    dependencies += [evaluation_run.preferred] if evaluation_run.preferred else []
    return Session(evaluation_run, sha256_json(dependencies), library_fingerprint(evaluation_run.device))


def work(job: Path, emit: Emit) -> Mapping[str, Any]:
    """All reports of a job file; the result names their files."""
    from bonsai.train.adapters import load, open_answerer

    one = from_json(json.loads(job.read_text("utf-8")))
    loaded = load(one.base, one.device)
    session = open_session(one, loaded.batch)
    pairs = [(subject, question_set) for subject in one.subjects for question_set in one.question_sets]
    made = []
    for number, (subject, question_set) in enumerate(pairs):
        answerer = open_answerer(loaded, Path(subject.folder) if subject.folder else None, one.template)

        progress = paced(emit, number, len(pairs))
        path = session.path(subject, question_set)
        write_report(session, answerer, subject, question_set, path, progress)
        made.append({"subject": subject.adapter, "question_set": question_set.name, "path": str(path)})
    return {"reports": made}


def paced(emit: Emit, number: int, reports: int, steps: int = _STEPS) -> Callable[[int, int], None]:
    """Passes on the progress of report `number`: when one of its `steps` is done, and each half second, so that a
    cancelled night ends within seconds, however slow the base is."""
    sent, at = -1, 0.0

    def progress(done: int, of: int) -> None:
        nonlocal sent, at
        share, now = steps * done // of, time.monotonic()
        if share != sent or now - at >= HEARTBEAT_SECONDS:
            sent, at = share, now
            emit({"type": "progress", "done": steps * number + share, "total": steps * reports})

    return progress


def write_report(
    session: Session,
    answerer: Answerer,
    subject: EvaluatedModel,
    question_set: QuestionSet,
    path: Path,
    progress: Callable[[int, int], None],
) -> Report:
    """The stored report if its consistency items reproduce, else a new one at `path`; a closed pool's has no texts."""
    settings = session.evaluation_run.settings
    stored = _stored(path)
    if (
        stored
        and not stored.errors
        and reproduces(answerer, stored, question_set.items, settings, lambda _done: progress(0, 1))
    ):
        progress(1, 1)
        return stored
    about, preferred = session.about(subject, question_set), session.evaluation_run.preferred
    made = run(answerer, question_set.items, settings, about, preferred=preferred, progress=progress)
    if questions.is_closed(question_set.name):
        made = report.without_answers(made)
    report.write(made, path)
    return made


def _stored(path: Path) -> Report | None:
    """A report of an earlier run; None if it is damaged or of another format."""
    try:
        return report.read(path)
    except (FileNotFoundError, BenchmarkError):
        return None


def main() -> int:
    """Run the worker."""
    return serve(work)


if __name__ == "__main__":
    sys.exit(main())
