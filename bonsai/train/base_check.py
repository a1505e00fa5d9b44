"""The check of a base, before any night depends on it: loads, asks and trains it once, in a process of its own.

    findings = ProcessBaseChecker().check(job, on_progress)

What is checked is what fails in silence: a tokenizer that cannot spell Japanese, a missing BOS or end token, a chat
template that swallows the question, a loss mask that is off by one, linear maps that no adapter reaches, an adapter
that reloads differently. Light until the worker (`bonsai.train.base_check_worker`) runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from bonsai.model.base_sources import BaseSource
from bonsai.model.bases import Base
from bonsai.model.gguf import ConversionJob
from bonsai.model.home_bases import CheckFinding
from bonsai.system.files import write_json_atomic
from bonsai.system.json_values import from_values, to_values
from bonsai.system.processes import LOWEST_PRIORITY, counting, run_worker
from bonsai.train.plan import Recipe

OnProgress = Callable[[int, int], None]
"Gets (steps done, steps)."


@dataclass(frozen=True, slots=True)
class BaseCheckJob:
    """One base to be checked under one recipe."""

    profile: str
    base: Base
    recipe: Recipe
    device: Literal["cpu", "cuda"]
    threads: int
    folder: str
    "For the small training; its content is removed."
    log: str
    created_at: str
    "ISO 8601, UTC."


class BaseChecker(Protocol):
    """Does the heavy work of adding a base."""

    def convert(self, source: BaseSource, folder: Path, log: Path, on_progress: OnProgress) -> None:
        """Make a base's folder of a GGUF file. Raises InputError when it cannot be read."""

    def check(self, job: BaseCheckJob, on_progress: OnProgress) -> tuple[CheckFinding, ...]:
        """What was found; a fault of the base is a finding, not an error.

        Raises WorkerDied when the process was killed, which usually means that memory ran out.
        """


@dataclass(frozen=True, slots=True)
class ProcessBaseChecker:
    """`BaseChecker` on this machine, at low priority."""

    nice: int = LOWEST_PRIORITY
    "Process priority: 0 is normal, 19 the lowest."

    def convert(self, source: BaseSource, folder: Path, log: Path, on_progress: OnProgress) -> None:
        """Run the worker of `bonsai.model.gguf`."""
        job = folder.parent / "convert.json"
        write_json_atomic(job, to_values(ConversionJob(source.model, str(folder))))
        run_worker("bonsai.model.gguf", job, log=log, on_event=counting(on_progress), nice=self.nice)
        job.unlink()

    def check(self, job: BaseCheckJob, on_progress: OnProgress) -> tuple[CheckFinding, ...]:
        """Run the worker."""
        file = Path(job.folder) / "check.json"
        write_json_atomic(file, to_values(job))
        worker = "bonsai.train.base_check_worker"
        done = run_worker(worker, file, log=Path(job.log), on_event=counting(on_progress), nice=self.nice)
        return tuple(from_values(CheckFinding, one) for one in done["findings"])
