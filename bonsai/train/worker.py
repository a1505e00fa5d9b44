"""Entry point of a training's own process: `python -m bonsai.train.worker <run folder>/plan.json`.

It sends JSON lines to its parent (`bonsai.system.processes`). On the same plan it resumes from the last complete
checkpoint; a finished plan returns its result at once. The run folder is locked; of several processes of one plan
(`accelerate launch`) the first holds the lock and writes.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bonsai.errors import IntegrityError, LockTimeout
from bonsai.model import quiet_libraries
from bonsai.system.files import write_json_atomic
from bonsai.system.json_values import from_values
from bonsai.system.locks import file_lock
from bonsai.system.processes import Emit, serve
from bonsai.train.checkpoints import plan_hash
from bonsai.train.manifest import read_manifest
from bonsai.train.plan import TrainingPlan, TrainingProgress


def work(plan_file: Path, emit: Emit) -> Mapping[str, Any]:
    """Run the plan of a file; the result names the adapter's folder."""
    plan = from_values(TrainingPlan, json.loads(plan_file.read_text("utf-8")))
    if os.environ.get("RANK", "0") == "0":
        with _locked(Path(plan.run_folder)):
            return _work(plan, emit)
    return _work(plan, emit)


@contextmanager
def _locked(run: Path) -> Iterator[None]:
    """Lock the run's folder. Raises LockTimeout."""
    with ExitStack() as stack:
        try:
            stack.enter_context(file_lock(run / ".lock", exclusive=True, wait_seconds=0))
        except LockTimeout:
            raise LockTimeout("training.run_is_busy", run=run) from None
        yield


def _work(plan: TrainingPlan, emit: Emit) -> dict[str, Any]:
    run = Path(plan.run_folder)
    result_file = run / "result.json"
    finished = _finished(result_file, plan)
    if finished:
        return finished
    with quiet_libraries():
        from bonsai.train.qlora import train

    def report(progress: TrainingProgress) -> None:
        event = {"type": "progress", **asdict(progress)}
        sys.stderr.write(json.dumps(event) + "\n")  # the run's log
        emit(event)

    made = train(plan, report)
    result = {"adapter_id": made.id, "path": str(made.path), "plan": plan_hash(plan)}
    if os.environ.get("RANK", "0") == "0":
        write_json_atomic(result_file, result)
        shutil.rmtree(run / "checkpoints", ignore_errors=True)  # the finished adapter replaces them
    return result


def _finished(result_file: Path, plan: TrainingPlan) -> dict[str, Any] | None:
    """The result of an earlier run of this plan, if its adapter still verifies."""
    try:
        result: dict[str, Any] = json.loads(result_file.read_text("utf-8"))
        read_manifest(Path(result["path"]))
    except (FileNotFoundError, IntegrityError):
        return None
    return result if result["plan"] == plan_hash(plan) else None


def main() -> int:
    """Run the worker."""
    return serve(work)


if __name__ == "__main__":
    sys.exit(main())
