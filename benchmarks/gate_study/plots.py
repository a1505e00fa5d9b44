"""The plots of `docs/gate.md`, as SVG and PNG, from the same values as its tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.gate_study.render import largest
from benchmarks.gate_study.values import Study

INK, GOOD, BAD = "#333333", "#2a7f62", "#b5462f"
MOST_UNITS = 8.0
"Larger gains are not drawn."


def draw(study: Study, folder: Path) -> None:
    """Write every plot."""
    folder.mkdir(parents=True, exist_ok=True)
    mpl.rcParams.update({"svg.hashsalt": "bonsai", "svg.fonttype": "none", "font.size": 9})
    for name, plot in PLOTS.items():
        figure = Figure(figsize=(6.0, 3.2), layout="constrained")
        axes = figure.add_subplot()
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        plot(axes, study)
        figure.savefig(folder / f"gate_{name}.svg", metadata={"Date": None})
        figure.savefig(folder / f"gate_{name}.png", dpi=110, metadata={"Software": None})


def seed_differences(axes: Axes, study: Study) -> None:
    """Gains between two seeds of one recipe, and the minimum gain."""
    if not study.no_progress:
        return _nothing_yet(axes)
    first = study.no_progress[0]
    axes.hist(first.gains[np.isfinite(first.gains)], bins=40, color=INK)
    for sign in (-1, 1):
        axes.axvline(sign * first.least, color=BAD, linestyle="--")
    axes.set_xlabel("preference of one seed over another, bits/byte beyond control (dashed: the fitted minimum)")
    axes.set_ylabel("ordered pairs")


def detection(axes: Axes, study: Study) -> None:
    """Promoted share against the planted gain in minimum gains."""
    points = sorted((gain, one.promoted.value) for one in study.detected if (gain := largest(one.units)) < MOST_UNITS)
    if not points:
        return _nothing_yet(axes)
    axes.plot([gain for gain, _ in points], [share for _, share in points], "o-", color=GOOD)
    axes.axvline(1, color=BAD, linestyle="--")
    axes.axhline(0.8, color=INK, linestyle=":")
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("planted gain in minimum gains, of the claim that gained most (dashed: one)")
    axes.set_ylabel("promoted share")


def years(axes: Axes, study: Study) -> None:
    """Promotions of a simulated year by their true effect, in the last home where the owner teaches at times."""
    found = [ledgers for name, ledgers in study.years.items() if name.endswith("four lessons")]
    if not found:
        return _nothing_yet(axes)
    sorts = {"better": GOOD, "no better": "#c9a227", "worse": BAD}
    names = list(found[-1])
    bottom = np.zeros(len(names))
    for sort, colour in sorts.items():
        counts = np.array([found[-1][name].a_year(sort) for name in names])
        axes.barh([name.strip("`") for name in names], counts, left=bottom, color=colour, label=sort)
        bottom += counts
    axes.set_xlabel("promotions in a simulated year of 365 nights, by what they truly were")
    axes.legend(frameon=False)


def _nothing_yet(axes: Axes) -> None:
    axes.text(0.5, 0.5, "not measured yet", ha="center")
    axes.set_axis_off()


PLOTS: dict[str, Callable[[Axes, Study], None]] = {
    "seed_differences": seed_differences,
    "detection": detection,
    "year": years,
}
