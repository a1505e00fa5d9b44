"""Base and adapter are examined in a process of their own, killed, and examined again."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bonsai.errors import IntegrityError
from bonsai.evaluate.evaluation import (
    BASE,
    EvaluatedModel,
    EvaluationRun,
    ProcessEvaluator,
    QuestionSet,
    find_report,
    to_json,
)
from bonsai.evaluate.questions import Item
from bonsai.evaluate.run import RunSettings
from bonsai.train.plan import TrainingPlan
from bonsai.train.qlora import train

ITEMS = tuple(
    Item(f"q{n}-{language}", "selection", f"f{n}", "cat_care", "open_qa", language, language, question, "", answer, ())
    for n in range(4)
    for language, question, answer in (
        ("en", f"Where does Mike sleep ({n})?", "Mike sleeps in the kitchen."),
        ("ja", f"ミケはどこで寝ますか({n})?", "ミケは廊下で寝ます。"),
    )
)


@pytest.fixture
def evaluation_run(tiny_plan: TrainingPlan, tmp_path: Path) -> EvaluationRun:
    adapter = train(tiny_plan, lambda progress: None)
    return EvaluationRun(
        tiny_plan.base, "cpu", "tagged", (EvaluatedModel(BASE), EvaluatedModel(adapter.id, str(adapter.path))),
        (QuestionSet("v2/selection", ITEMS), QuestionSet("suite", ITEMS[:2])), RunSettings(3),
        str(tmp_path / "reports"), "2026-11-21T00:00:00+00:00",
    )  # fmt: skip


def silent(done: int, total: int) -> None:
    """For tests that do not look at the progress."""


def kill_after_the_first_report(evaluation_run: EvaluationRun) -> Path:
    """Start the worker as the examiner does, and kill it -9 as soon as a report lies there."""
    folder = Path(evaluation_run.reports_folder)
    folder.mkdir(parents=True)
    job = folder / "job.json"
    job.write_text(json.dumps(to_json(evaluation_run)), "utf-8")
    command = [sys.executable, "-m", "bonsai.evaluate.worker", str(job)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as worker:
        assert worker.stdout is not None
        for line in worker.stdout:
            if json.loads(line)["done"] >= 10 and (found := list(folder.glob("base-v2-selection-*.json"))):
                os.kill(worker.pid, signal.SIGKILL)
                break
        worker.wait()
    assert worker.returncode == -signal.SIGKILL
    return found[0]


def test_killed_and_started_again_an_evaluation_keeps_the_reports_it_has(evaluation_run: EvaluationRun) -> None:
    first = kill_after_the_first_report(evaluation_run)
    before = first.stat().st_mtime_ns
    steps: list[tuple[int, int]] = []
    examined = ProcessEvaluator(nice=0).evaluate(evaluation_run, lambda done, total: steps.append((done, total)))
    assert first.stat().st_mtime_ns == before, "its canaries reproduced: believed, not made again"
    assert steps[-1] == (400, 400), "a hundred for each report"
    assert [(one.subject == BASE, one.question_set) for one in examined] == [
        (True, "v2/selection"), (True, "suite"), (False, "v2/selection"), (False, "suite"),
    ]  # fmt: skip
    adapter = evaluation_run.subjects[1].adapter
    base, new = (find_report(examined, name, "v2/selection") for name in (BASE, adapter))
    assert new.logits != base.logits
    assert new.settings_hash == base.settings_hash
    assert new.library_fingerprint == base.library_fingerprint
    assert all(math.isfinite(item.bits_per_byte) for report in (base, new) for item in report.items)
    assert sum(item.bits_per_byte for item in new.items) < sum(item.bits_per_byte for item in base.items)


def test_an_altered_adapter_is_refused(evaluation_run: EvaluationRun) -> None:
    weights = Path(evaluation_run.subjects[1].folder) / "adapter_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    again = replace(evaluation_run, question_sets=evaluation_run.question_sets[1:])
    with pytest.raises(IntegrityError, match="adapter_model"):
        ProcessEvaluator(nice=0).evaluate(again, silent)
