"""The loss curve of a training, read from its worker's log (`runs/<night>/log.txt`).

A training that resumes from a checkpoint repeats some steps: the last value of each counts. Lines that libraries
printed and a truncated last line are skipped.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

MAX_BYTES = 1 << 24
"Read of a log: a hundred thousand steps."
PROGRESS = '{"type": "progress"'


@dataclass(frozen=True, slots=True)
class Loss:
    """The loss at a step, or the mean of some steps that end there."""

    step: int
    loss: float


@dataclass(frozen=True, slots=True)
class Curve:
    """The loss curve of one training."""

    losses: tuple[Loss, ...]
    "One for each step, in order; never empty."
    steps: int
    "Planned."


def read_curve(log: Path) -> Curve | None:
    """The curve of a log; None without a log or without steps in it."""
    try:
        with log.open(encoding="utf-8", errors="replace") as file:
            lines = [line for line in file.read(MAX_BYTES).splitlines() if line.startswith(PROGRESS)]
    except OSError:
        return None
    events = [event for line in lines if (event := _event(line)) is not None]
    found = {step: loss for step, loss, _ in events}
    return Curve(tuple(Loss(*pair) for pair in sorted(found.items())), events[-1][2]) if found else None


def _event(line: str) -> tuple[int, float, int] | None:
    """Step, loss and planned steps of a line."""
    try:
        content = json.loads(line)
        made = int(content["step"]), float(content["loss"]), int(content["steps"])
    except (ValueError, TypeError, KeyError):
        return None
    return made if math.isfinite(made[1]) else None


def thinned(losses: Sequence[Loss], most: int) -> tuple[Loss, ...]:
    """At most `most` points: means over about equally many steps, since single steps are noisy."""
    count = min(most, len(losses))
    edges = [round(number * len(losses) / count) for number in range(count + 1)] if count else []
    parts = [losses[start:end] for start, end in pairwise(edges)]
    return tuple(Loss(part[-1].step, math.fsum(one.loss for one in part) / len(part)) for part in parts)
