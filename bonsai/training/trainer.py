"""`ProcessTrainer`: a training in its own process, as the pipeline sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bonsai.files import write_json_atomic
from bonsai.processes import run_worker
from bonsai.training.plan import AdapterFolder, Progress, TrainingPlan, plan_to_json


@dataclass(frozen=True, slots=True)
class ProcessTrainer:
    """`Trainer` on this machine, at low priority; the worker's log is `log.txt` in the run's folder."""

    nice: int = 10
    "Priority of the process: 0 is normal, 19 yields to everything."

    def train(self, plan: TrainingPlan, on_progress: Callable[[Progress], None]) -> AdapterFolder:
        """Run a plan; called again with the same run folder it resumes, or returns what is finished."""
        run = Path(plan.run_folder)
        write_json_atomic(run / "plan.json", plan_to_json(plan))

        def show(event: Mapping[str, Any]) -> None:
            if event["type"] == "progress":
                on_progress(Progress(**{name: value for name, value in event.items() if name != "type"}))

        done = run_worker(
            "bonsai.training.worker", run / "plan.json", log=run / "log.txt", on_event=show, nice=self.nice
        )
        return AdapterFolder(str(done["adapter_id"]), Path(str(done["path"])))
