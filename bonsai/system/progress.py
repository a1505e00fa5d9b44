"""How far a long step has come: passed up by a callback, shown by the CLI, logged by a flow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Used:
    """What a training's process has used since it began."""

    tokens: int = 0
    "Padding aside."
    memory_bytes: int = 0
    "Most main memory that it held."
    gpu_memory_bytes: int = 0
    "Most memory of one GPU; 0 on a CPU."
    gpus: int = 0
    "0 on a CPU."


@dataclass(frozen=True, slots=True)
class Progress:
    """One sign of life of a long step."""

    step: str
    "Its name, `ingest`, `train`, `benchmark` ...; the text for people is `cli.step_<step>`."
    done: int
    total: int
    "0 when nobody knows yet."
    loss: float | None = None
    "Training loss at this step, for `train` alone."
    seconds_left: float | None = None
    "Of this step, where it can tell."
    used: Used | None = None
    "For `train` alone."


Report = Callable[[Progress], None]
"What a long step is given to tell how far it has come."


def silent(progress: Progress) -> None:
    """A `Report` that tells nobody."""
