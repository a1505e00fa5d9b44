"""Error rates of the promotion gate, measured on really trained adapters of the seedling.

    python benchmarks/gate.py --folder /tmp/gate --minutes 60   # makes the missing runs; one core per process
    python benchmarks/gate.py --report                          # tables and plots of docs/gate.md, without torch
    python benchmarks/gate.py --rerun 3 --folder /tmp/again     # repeats 3 runs from scratch and compares
    python benchmarks/gate.py --folder /tmp/gate --base other   # the runs on the second base, which is made there
    python benchmarks/gate.py --calibrate bonsai/gate/calibrations # its minimum gains, by the night-long runs

Every run is one line of `benchmarks/results/gate.jsonl`. Method and results: `docs/gate.md`.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.gate_study.schedule import Maker

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "gate.jsonl"
TOLERANCE_BITS = 0.002
"Tolerance for a repeated run: rounding differs between machines."


def measure(folder: Path, results: Path, minutes: float, only: tuple[str, ...]) -> None:
    """Make missing runs until the time is up; finishes the run in progress."""
    from benchmarks.gate_study.runs import append
    from benchmarks.gate_study.schedule import missing

    until = time.monotonic() + 60 * minutes
    maker = _makers(folder)
    for step in missing(results, folder, only):
        if time.monotonic() > until:
            break
        began = time.monotonic()
        append(results, maker(step.key).make(step))
        print(f"{step.key}: {time.monotonic() - began:.0f} s", flush=True)


def _makers(folder: Path) -> Callable[[str], Maker]:
    """By a run's key, what makes it: each base is loaded once, when its first run comes."""
    from benchmarks.gate_study import other_base, plan
    from benchmarks.gate_study.models import Workshop
    from benchmarks.gate_study.runs import OTHER
    from benchmarks.gate_study.schedule import Maker

    @cache
    def made(second: bool) -> Maker:
        if second:
            return Maker(Workshop(plan.other(other_base.built(folder / "other-base")), folder / "other"))
        return Maker(Workshop(plan.seedling(), folder))

    return lambda key: made(key.startswith(OTHER))


def rerun(folder: Path, results: Path, count: int, only: tuple[str, ...]) -> int:
    """Repeat some runs; 1 if a result differs."""
    from benchmarks.gate_study.runs import differences, read
    from benchmarks.gate_study.schedule import order

    runs = read(results)
    known = [step for step in order() if step.key in runs and step.key.startswith(only)]
    maker, worst = _makers(folder), 0.0
    for step in Random(count).sample(known, min(count, len(known))):
        before, again = runs[step.key], maker(step.key).make(step)
        differs = differences(before, again)
        same = [before.sheets[name].flags == sheet.flags for name, sheet in again.sheets.items()]
        print(f"{step.key}: bits differ by at most {differs:.3f}, the same answers: {all(same)}", flush=True)
        worst = max(worst, differs)
    return int(worst > TOLERANCE_BITS)


def calibrate(results: Path, folder: Path) -> int:
    """Write the seedling's calibration; 1 if too few seeds are measured."""
    from benchmarks.gate_study.runs import read
    from benchmarks.gate_study.tables import fitted
    from bonsai.gate import calibration

    made = fitted(read(results), datetime.now(UTC).isoformat(timespec="seconds"))
    if made is None:
        print("Too few runs `night` and `house` are made; three of each are needed.")
        return 1
    print(calibration.write(folder, made))
    return 0


def report(results: Path) -> None:
    """Print every table, and write tables and plots into the document."""
    from benchmarks.gate_study import document, plots, tables
    from benchmarks.gate_study.render import render
    from benchmarks.gate_study.runs import read

    found = tables.study(read(results))
    plots.draw(found, ROOT / "docs" / "plots")
    for name, text in render(found).items():
        print(f"\n## {name}\n\n{text}")
        document.put(ROOT / "docs" / "gate.md", name, text)


def main() -> int:
    """Parse and run."""
    sys.path[0] = str(ROOT)  # a script has its own folder on the path, not the repository root
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where adapters are kept; they are trained again when it is empty")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument(
        "--only", nargs="+", default=[""], help="runs whose key begins so: base, seed, harm/looping, night/ ..."
    )
    parser.add_argument(
        "--base", choices=("all", "other"), default="all", help="other: only the runs on the second base"
    )
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--calibrate", type=Path, metavar="FOLDER")
    parser.add_argument("--rerun", type=int, metavar="K")
    chosen = parser.parse_args()
    if chosen.report:
        report(chosen.results)
        return 0
    if chosen.calibrate:
        return calibrate(chosen.results, chosen.calibrate)
    if chosen.folder is None:
        parser.error("--folder is needed to train")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    only = tuple(f"other/{begin}" if chosen.base == "other" else begin for begin in chosen.only)
    if chosen.rerun:
        return rerun(chosen.folder, chosen.results, chosen.rerun, only)
    measure(chosen.folder, chosen.results, chosen.minutes, only)
    return 0


if __name__ == "__main__":
    sys.exit(main())
