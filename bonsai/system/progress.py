"""Progress of a long step: passed up by a callback, shown by the CLI, logged by a flow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResourceUsage:
    """Resources that a training process has used so far."""

    tokens: int = 0
    "Without padding."
    memory_bytes: int = 0
    "Peak main memory."
    gpu_memory_bytes: int = 0
    "Peak memory of one GPU; 0 on a CPU."
    gpus: int = 0
    "0 on a CPU."


@dataclass(frozen=True, slots=True)
class Progress:
    """One heartbeat of a long step."""

    step: str
    "Its name, `ingest`, `train`, `benchmark` ...; the text for people is `cli.step_<step>`."
    done: int
    total: int
    "0 while unknown."
    loss: float | None = None
    "Training loss at this step; only for `train`."
    seconds_left: float | None = None
    "The step's own estimate."
    used: ResourceUsage | None = None
    "Only for `train`."


Report = Callable[[Progress], None]
"The callback that a long step reports its progress to."


def silent(progress: Progress) -> None:
    """A `Report` that does nothing."""
