"""SVG charts, drawn on the server and coloured by the page's style sheet, so that they fit light and dark mode.

Drawn with svg.py (MIT, typed, no dependencies, 15 kB). It writes classes, while matplotlib writes `style` attributes,
which our Content-Security-Policy refuses, and a fixed colour scheme. It also takes 52 MB less memory and starts 70
times faster (`python -X importtime -c "import matplotlib.figure"` against `import svg`). svg.py does not escape: every
text goes through `_text`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

import svg
from markupsafe import Markup

INTERVAL_SIZE = (240, 26)
TREND_SIZE = (360, 200)
TREND_BOX = (40, 348, 12, 168)
"Left, right, top and bottom of the plot area."
CURVE_SIZE = (480, 220)
CURVE_BOX = (40, 468, 12, 188)
ROOM = 0.08
"Margin at both ends of a scale, as a share of its range."


@dataclass(frozen=True, slots=True)
class Scale:
    """Values at the two ends of an axis."""

    low: float
    high: float

    def at(self, value: float, start: float, end: float) -> float:
        """Coordinate of the value between `start` and `end`, clamped."""
        share = (value - self.low) / (self.high - self.low)
        return round(start + min(max(share, 0.0), 1.0) * (end - start), 1)


@dataclass(frozen=True, slots=True)
class Interval:
    """A rule's result, on a scale shared with its neighbours."""

    figure: float
    low: float | None
    high: float | None
    threshold: float | None
    outcome: str
    "CSS class, which sets the colour."


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement of a trend."""

    at: datetime
    series: str
    "CSS class: `ja`, `en`."
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """A curve over training steps."""

    name: str
    "CSS class: `candidate`, `champion`."
    points: Sequence[tuple[float, float]]
    "(step, value)"


def scale_of(intervals: Sequence[Interval], *, with_zero: bool) -> Scale:
    """A scale that covers all values, bounds and thresholds, and 0 if `with_zero`."""
    values = [0.0] if with_zero or not intervals else []
    for one in intervals:
        values += [v for v in (one.figure, one.low, one.high, one.threshold) if v is not None and math.isfinite(v)]
    low, high = min(values), max(values)
    room = ROOM * (high - low or 1.0)
    return Scale(low - room, high + room)


def interval_plot(one: Interval, scale: Scale, label: str) -> Markup:
    """A dot with its interval, a thin line at 0, a dashed one at the threshold; `label` is the text alternative."""
    width, height = INTERVAL_SIZE
    middle = height / 2

    def x(value: float) -> float:
        return scale.at(value, 2, width - 2)

    drawn: list[svg.Element] = [_line(x(0), 2, x(0), height - 2, "zero")] if scale.low <= 0 <= scale.high else []
    if one.threshold is not None:
        drawn.append(_line(x(one.threshold), 0, x(one.threshold), height, "threshold"))
    if one.low is not None and one.high is not None:
        drawn.append(_line(x(one.low), middle, x(one.high), middle, f"interval {one.outcome}"))
        drawn += [_line(x(v), middle - 5, x(v), middle + 5, f"interval {one.outcome}") for v in (one.low, one.high)]
    drawn.append(svg.Circle(cx=x(one.figure), cy=middle, r=5, class_=[f"figure {_text(one.outcome)}"]))
    return _picture(width, height, drawn, label, "plot")


def trend_plot(points: Sequence[Point], label: str) -> Markup:
    """Shares from 0 to 1, a line per series with intervals; measurements are equally spaced on the x axis."""
    times = sorted({point.at for point in points})
    series = sorted({point.series for point in points})
    left, right, top, bottom = TREND_BOX
    step = (right - left) / max(len(times), 1)
    scale = Scale(0.0, 1.0)

    def x(point: Point) -> float:
        beside = (series.index(point.series) - (len(series) - 1) / 2) * min(9, step / 3)
        return round(left + (times.index(point.at) + 0.5) * step + beside, 1)

    def y(value: float) -> float:
        return scale.at(value, bottom, top)

    drawn: list[svg.Element] = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        drawn.append(_line(left, y(share), right, y(share), "grid"))
        drawn.append(_words(left - 4, y(share) + 4, f"{share:.0%}", "tick end"))
    for number in _shown(len(times)):
        drawn.append(
            _words(left + (number + 0.5) * step, bottom + 18, f"{times[number].astimezone():%m-%d}", "tick middle")
        )
    for name in series:
        drawn += _series([point for point in points if point.series == name], x, y)
    return _picture(*TREND_SIZE, drawn, label, "trend")


def curve_plot(lines: Sequence[Line], label: str) -> Markup:
    """Curves over steps, both axes from 0; the first line is drawn on top."""
    left, right, top, bottom = CURVE_BOX
    steps = Scale(0.0, max(step for line in lines for step, _ in line.points))
    values = Scale(0.0, (1 + ROOM) * max(value for line in lines for _, value in line.points) or 1.0)
    drawn: list[svg.Element] = []
    for value in _ticks(values.high):
        y = values.at(value, bottom, top)
        drawn += [_line(left, y, right, y, "grid"), _words(left - 4, y + 4, f"{value:.6g}", "tick end")]
    for step in _ticks(steps.high):
        x = steps.at(step, left, right)
        drawn.append(_words(x, bottom + 18, f"{step:.6g}", "tick end" if x > right - 12 else "tick middle"))
    for line in reversed(lines):
        path = [svg.Point(steps.at(s, left, right), values.at(v, bottom, top)) for s, v in line.points]
        drawn.append(svg.Polyline(points=path, class_=[f"line {_text(line.name)}"]))
    return _picture(*CURVE_SIZE, drawn, label, "trend curve")


def _ticks(high: float, most: int = 6) -> list[float]:
    """At most `most` multiples of 1, 2 or 5 times a power of ten, from 0 to `high`."""
    power = 10.0 ** math.floor(math.log10(high / most))
    step = next(power * size for size in (1, 2, 5, 10, 20) if high / (power * size) < most)
    return [number * step for number in range(math.floor(high / step) + 1)]


def _series(points: Sequence[Point], x: Callable[[Point], float], y: Callable[[float], float]) -> list[svg.Element]:
    ordered = sorted(points, key=lambda point: point.at)
    path = [svg.Point(x(point), y(point.value)) for point in ordered]
    drawn: list[svg.Element] = [svg.Polyline(points=path, class_=[f"line {_text(ordered[0].series)}"])]
    for point in ordered:
        name = f"interval {_text(point.series)}"
        if point.low is not None and point.high is not None:
            drawn.append(_line(x(point), y(point.low), x(point), y(point.high), name))
        drawn.append(svg.Circle(cx=x(point), cy=y(point.value), r=4, class_=[f"figure {_text(point.series)}"]))
    return drawn


def _shown(count: int, most: int = 6) -> range:
    """Indices of labelled measurements: about `most`, equally spaced."""
    return range(0, count, max(1, math.ceil(count / most)))


def _line(x1: float, y1: float, x2: float, y2: float, name: str) -> svg.Line:
    return svg.Line(x1=x1, y1=y1, x2=x2, y2=y2, class_=[_text(name)])


def _words(x: float, y: float, words: str, name: str) -> svg.Text:
    return svg.Text(x=round(x, 1), y=round(y, 1), text=_text(words), class_=[_text(name)])


def _picture(width: int, height: int, drawn: list[svg.Element], label: str, name: str) -> Markup:
    picture = svg.SVG(
        viewBox=svg.ViewBoxSpec(0, 0, width, height),
        class_=[_text(name)],
        extra={"role": "img", "aria-label": _text(label), "focusable": "false"},
        elements=drawn,
    )
    return Markup(picture.as_str())


def _text(words: str) -> str:
    return escape(words, quote=True)
