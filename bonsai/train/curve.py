"""The loss curve of a training, read back from the log that its worker writes (`runs/<night>/log.txt`).

A training that was killed goes on from its last checkpoint and repeats some steps: of those the last run counts. What
libraries print stands between the lines and is passed over; a torn last line is none.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

MOST_BYTES = 1 << 24
"Of a log; a hundred thousand steps."
PROGRESS = '{"type": "progress"'


@dataclass(frozen=True, slots=True)
class Loss:
    """The loss at a step, or the mean of some steps that end there."""

    step: int
    loss: float


@dataclass(frozen=True, slots=True)
class Curve:
    """What a training's log says of its loss."""

    losses: tuple[Loss, ...]
    "One a step, in order; never empty."
    steps: int
    "Planned."


def read_curve(log: Path) -> Curve | None:
    """None when there is no log, or no step in it."""
    try:
        with log.open(encoding="utf-8", errors="replace") as file:
            lines = [line for line in file.read(MOST_BYTES).splitlines() if line.startswith(PROGRESS)]
    except OSError:
        return None
    events = [event for line in lines if (event := _event(line)) is not None]
    found = {step: loss for step, loss, _ in events}
    return Curve(tuple(Loss(*pair) for pair in sorted(found.items())), events[-1][2]) if found else None


def _event(line: str) -> tuple[int, float, int] | None:
    """Step, loss and planned steps of a line."""
    try:
        told = json.loads(line)
        made = int(told["step"]), float(told["loss"]), int(told["steps"])
    except (ValueError, TypeError, KeyError):
        return None
    return made if math.isfinite(made[1]) else None


def thinned(losses: Sequence[Loss], most: int) -> tuple[Loss, ...]:
    """At most so many points: means over about equally many steps, for single steps are noise."""
    count = min(most, len(losses))
    edges = [round(number * len(losses) / count) for number in range(count + 1)] if count else []
    parts = [losses[start:end] for start, end in pairwise(edges)]
    return tuple(Loss(part[-1].step, math.fsum(one.loss for one in part) / len(part)) for part in parts)
