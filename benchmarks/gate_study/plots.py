"""The plots of `docs/gate.md`, as SVG and PNG, from the same values as its tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.gate_study.values import Study

INK, GOOD, BAD = "#333333", "#2a7f62", "#b5462f"


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
    gains = study.no_progress.gains
    axes.hist(gains[np.isfinite(gains)], bins=60, color=INK)
    for sign in (-1, 1):
        axes.axvline(sign * study.minimum.bits, color=BAD, linestyle="--")
    axes.set_xlabel("gain of one seed over another on the selection pool, bits/byte (dashed: the fitted minimum)")
    axes.set_ylabel("ordered pairs")


def detection(axes: Axes, study: Study) -> None:
    """Promoted share against the planted gain."""
    found = sorted((one for one in study.detected if one.gain < 8 * study.minimum.bits), key=lambda one: one.gain)
    gains = [0.0, *(one.gain for one in found)]
    shares = [study.no_progress.promoted.value, *(one.promoted.value for one in found)]
    axes.plot(gains, shares, "o-", color=GOOD, label="all pairs")
    sound = [study.no_progress.promoted.value, *(one.found for one in found)]
    axes.plot(gains, sound, "o--", color=INK, label="challengers that lost nothing else")
    axes.legend(frameon=False, loc="lower right")
    axes.axvline(study.minimum.bits, color=BAD, linestyle="--")
    axes.axvline(2 * study.minimum.bits, color=INK, linestyle=":")
    axes.axhline(0.8, color=INK, linestyle=":")
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("planted gain, bits/byte (dashed: the minimum; dotted: twice that)")
    axes.set_ylabel("promoted share")


def years(axes: Axes, study: Study) -> None:
    """Promotions of a simulated year by their true effect."""
    sorts = {"better": GOOD, "no better": "#c9a227", "worse": BAD}
    bottom = np.zeros(len(study.years))
    names = list(study.years)
    for sort, colour in sorts.items():
        counts = np.array([study.years[name].a_year(sort) for name in names])
        axes.barh([name.strip("`") for name in names], counts, left=bottom, color=colour, label=sort)
        bottom += counts
    axes.set_xlabel("promotions in a simulated year of 365 nights, by what they truly were")
    axes.legend(frameon=False)


PLOTS: dict[str, Callable[[Axes, Study], None]] = {
    "seed_differences": seed_differences,
    "detection": detection,
    "year": years,
}
