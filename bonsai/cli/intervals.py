"""An interval on one line of text: `····├──●───┤···│····`, zero and threshold included."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

WIDTH = 17
ZERO, THRESHOLD, POINT, LEFT, RIGHT, LINE = "│", "╎", "●", "├", "┤", "─"


@dataclass(frozen=True, slots=True)
class Scale:
    """The figures between the left and the right edge; zero is in the middle."""

    reach: float

    def place(self, value: float) -> int:
        """The column of a value; what lies beyond an edge is shown on it."""
        share = (max(-self.reach, min(self.reach, value)) + self.reach) / (2 * self.reach)
        return round(share * (WIDTH - 1))


def scale_of(values: Iterable[float | None]) -> Scale:
    """A scale that holds all of them."""
    return Scale(max((abs(value) for value in values if value is not None), default=0.0) or 1.0)


def plot(scale: Scale, figure: float, low: float, high: float, threshold: float | None) -> str:
    """The interval from `low` to `high` with its figure; a dashed line where the threshold is."""
    columns = [" "] * WIDTH
    left, right = scale.place(low), scale.place(high)
    columns[scale.place(0.0)] = ZERO
    if threshold is not None:
        columns[scale.place(threshold)] = THRESHOLD
    columns[left : right + 1] = LINE * (right - left + 1)
    columns[left], columns[right] = LEFT, RIGHT
    columns[scale.place(figure)] = POINT
    return "".join(columns).rstrip()
