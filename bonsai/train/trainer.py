"""`ProcessTrainer`: runs a training in a process of its own.

A plan for several processes is started by `accelerate launch`, one process for each GPU. After an out-of-memory error
the training is started once more in a new process with more gradient accumulation: the same examples in each step.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bonsai.errors import OutOfMemory
from bonsai.system.files import write_json_atomic
from bonsai.system.json_values import to_values
from bonsai.system.processes import LOWEST_PRIORITY, run_worker
from bonsai.train.plan import AdapterFolder, TrainingPlan, TrainingProgress


@dataclass(frozen=True, slots=True)
class ProcessTrainer:
    """`Trainer` on this machine, at low priority; the worker's log is `log.txt` in the run's folder."""

    nice: int = LOWEST_PRIORITY
    "Priority of the process: 0 is normal, 19 yields to everything."
    worker: str = "bonsai.train.worker"
    "Module that runs a plan's file."

    def train(self, plan: TrainingPlan, on_progress: Callable[[TrainingProgress], None]) -> AdapterFolder:
        """Run a plan; called again with the same run folder it resumes, or returns what is finished.

        Raises OutOfMemory when smaller parts of a batch did not help either, or there are none.
        """
        try:
            return self._run(plan, on_progress)
        except OutOfMemory as error:
            smaller = plan.in_smaller_parts()
            if smaller is None:
                raise
            _note(plan, {"type": "out_of_memory", **error.values, "batch_from_now_on": smaller.batch_on_device})
            return self._run(smaller, on_progress)

    def _run(self, plan: TrainingPlan, on_progress: Callable[[TrainingProgress], None]) -> AdapterFolder:
        run = Path(plan.run_folder)
        write_json_atomic(run / "plan.json", to_values(plan))

        def show(event: Mapping[str, Any]) -> None:
            if event["type"] == "progress":
                on_progress(TrainingProgress(**{name: value for name, value in event.items() if name != "type"}))

        done = run_worker(
            self.worker,
            run / "plan.json",
            log=run / "log.txt",
            on_event=show,
            nice=self.nice,
            launcher=_launcher(plan),
            environment=_environment(plan),
        )
        return AdapterFolder(str(done["adapter_id"]), Path(str(done["path"])))


def _note(plan: TrainingPlan, event: Mapping[str, Any]) -> None:
    """One line in the run's log."""
    with Path(plan.run_folder, "log.txt").open("a", encoding="utf-8") as log:
        log.write(json.dumps(event) + "\n")


def _launcher(plan: TrainingPlan) -> tuple[str, ...]:
    """What starts the worker's module; nothing for a single process."""
    if plan.processes == 1:
        return ()
    settings = {
        "num_processes": str(plan.processes),
        "num_machines": "1",
        "mixed_precision": "no",  # the trainer's own setting decides
        "dynamo_backend": "no",
        "main_process_port": "0",  # a free one
    }
    return (
        "accelerate.commands.launch",
        "--multi_gpu",  # also for the CPU: accelerate's own launcher for CPUs wants MPI
        *(word for name, value in settings.items() for word in (f"--{name}", value)),
        "--module",
    )


def _environment(plan: TrainingPlan) -> dict[str, str]:
    if plan.processes == 1:
        return {}
    return {"PYTHONSAFEPATH": "1", "ACCELERATE_USE_CPU": str(plan.device == "cpu").lower()}
