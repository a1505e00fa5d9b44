"""How far a long step has come: passed up by a callback, shown by the CLI, logged by a flow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


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


Report = Callable[[Progress], None]
"What a long step is given to tell how far it has come."


def silent(progress: Progress) -> None:
    """A `Report` that tells nobody."""
