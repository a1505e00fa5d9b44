"""Loss curves of the templates in one figure, as SVG and PNG. Imports matplotlib only when drawing.

Left: the training loss per token of the completion. Right: bits per byte of the answers to held-out questions, with the
tags given (solid) and with the cost of the tags added (dotted). The x axis counts answer bytes trained on, the same for
every template.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from research.experiment.plan import BASE, Arm, Design
from research.experiment.results import Point, Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes


COLOURS = ("#b8570d", "#4a7c3a", "#2b5f8a", "#7a4a8f")
_WINDOW = 16
"Steps averaged per point of a training curve: rows come in windows of so many batches."


def draw(design: Design, runs: Mapping[str, Run], folder: Path) -> tuple[Path, ...]:
    """Write `<design>.svg` and `.png`; the same runs give the same files."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    arms = [arm for arm in _templates(design) if any(run.arm == arm.name for run in runs.values())]
    if not arms:
        return ()
    with mpl.rc_context({"svg.hashsalt": design.name, "font.size": 9}):
        figure = Figure(figsize=(10, 4), layout="constrained")
        left, right = figure.subplots(1, 2)
        for arm, colour in zip(arms, COLOURS, strict=False):
            found = [run for run in runs.values() if run.arm == arm.name]
            _trained(left, arm, found, colour)
            _held_out(right, arm, found, runs.get(f"{BASE}/{arm.template}"), colour)
        _dress(left, "training loss, nats a token of the completion (tags included)")
        _dress(right, "held out: bits a byte of the answer")
        folder.mkdir(parents=True, exist_ok=True)
        files = tuple(folder / f"experiments-{design.name}.{kind}" for kind in ("svg", "png"))
        figure.savefig(files[0], metadata={"Date": None})
        figure.savefig(files[1], dpi=130, metadata={"Software": None})
    return files


def _templates(design: Design) -> list[Arm]:
    """One plain arm per template."""
    plain = [arm for arm in design.arms if arm.translation and not arm.chinese and arm.longer == 1]
    return list({arm.template: arm for arm in plain}.values())


def _trained(axes: Axes, arm: Arm, found: Sequence[Run], colour: str) -> None:
    for number, run in enumerate(found):
        means = smoothed(run.losses)
        scale = run.training["response_bytes"] / 1000 / len(run.losses)
        steps = [scale * (at + 0.5) * len(run.losses) / len(means) for at in range(len(means))]
        axes.plot(steps, means, color=colour, alpha=0.7, linewidth=1, label=None if number else arm.name)


def smoothed(losses: Sequence[float]) -> list[float]:
    """Means of windows, smaller ones if the training is too short for eight."""
    windows = max(min(8, len(losses)), len(losses) // _WINDOW)
    return [float(np.mean(part)) for part in np.array_split(np.array(losses), windows)]


def _held_out(axes: Axes, arm: Arm, found: Sequence[Run], base: Run | None, colour: str) -> None:
    for number, run in enumerate(found):
        points = held_out_points(run, base)
        kilobytes = [point.step / run.training["steps"] * run.training["response_bytes"] / 1000 for point in points]
        solid = None if number else arm.name
        axes.plot(kilobytes, [p.response for p in points], color=colour, alpha=0.8, linewidth=1.2, label=solid)
        if arm.template != "alpaca":
            dotted = None if number else f"{arm.name}, with its tags' cost"
            axes.plot(
                kilobytes, [p.with_tags for p in points], color=colour, linestyle=":", linewidth=1.2, label=dotted
            )


def held_out_points(run: Run, base: Run | None) -> list[Point]:
    """The curve, starting at the bare base."""
    return [*(base.curve if base else ()), *run.curve]


def _dress(axes: Axes, title: str) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_title(title, fontsize=9, loc="left")
    axes.set_xlabel("answers trained on, kB")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(_plain))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.3, linewidth=0.5)
    axes.legend(frameon=False, fontsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _plain(value: float, _position: int | None = None) -> str:
    return f"{value:g}"
