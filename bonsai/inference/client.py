"""The inference client: sends a request to a model, returns completions with their tags.

Callers see an `InferenceClient`. `ProcessClient` loads the model in a process of its own (`worker.py`), so that the
caller stays light; `resident.ResidentClient` keeps that process for the next requests. An adapter answers only with
the template and on the base of its manifest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bonsai.model.bases import Base
from bonsai.model.prompt import AnswerTags, Question
from bonsai.system.files import sha256_json, write_json_atomic
from bonsai.system.json_values import from_values, to_values
from bonsai.system.processes import run_worker


@dataclass(frozen=True, slots=True)
class ModelRef:
    """Model reference: a base, bare or with one of its adapters."""

    base: Base
    device: str
    "cpu or cuda."
    template: str
    "Template of the bare base; an adapter has its own."
    adapter: str = ""
    "Adapter id; empty for the bare base."
    folder: str = ""
    "The adapter's folder."


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """Questions for one model."""

    model: ModelRef
    questions: tuple[Question, ...]
    forced: tuple[AnswerTags | None, ...]
    "Tags to force instead of letting the model declare them; one entry per question."


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer."""

    response: str
    tags: AnswerTags
    "Declared by the model, or forced."
    ended: bool
    "It stopped by itself."


class InferenceClient(Protocol):
    """Answers questions."""

    def complete(self, request: InferenceRequest) -> tuple[Completion, ...]:
        """One answer per question, in order. Raises IntegrityError for an altered adapter or one of another base."""

    def end(self) -> None:
        """Close for good: abort the current request and free the memory. Safe to repeat."""


DeviceLock = Callable[[str], AbstractContextManager[Callable[[], bool]]]
"""What is held while a model is in the memory of a device (`cpu`, `cuda`); raises LockTimeout where a training has it.
The function that it gives says whether a training waits for the device by now."""


@contextmanager
def no_device_lock(device: str) -> Iterator[Callable[[], bool]]:
    """A `DeviceLock` for a device that nobody else needs."""
    yield lambda: False


@dataclass(frozen=True, slots=True)
class ProcessClient:
    """An `InferenceClient` with a process that ends with the answers; the worker's log is `ask.log` in `folder`."""

    folder: Path
    nice: int = 0
    device_lock: DeviceLock = no_device_lock

    def complete(self, request: InferenceRequest) -> tuple[Completion, ...]:
        """Load, answer, end. Raises what the worker raised, WorkerDied when it was killed, LockTimeout."""
        values = to_values(request)
        job = self.folder / f"ask-{sha256_json(values)[:16]}.json"
        with self.device_lock(request.model.device):
            write_json_atomic(job, values)
            try:
                log = self.folder / "ask.log"
                done = run_worker("bonsai.inference.worker", job, log=log, on_event=lambda event: None, nice=self.nice)
            finally:
                job.unlink(missing_ok=True)  # a question is personal: not kept on the disk
        return completions_from(done)

    def end(self) -> None:
        """Nothing to do: no process outlives its request."""


def completions_from(done: Mapping[str, Any]) -> tuple[Completion, ...]:
    """Completions from a worker's result."""
    return tuple(from_values(Completion, one) for one in done["answers"])
