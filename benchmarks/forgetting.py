"""What a night forgets of what nothing rehearses, recipe by recipe, on the seedling.

    python benchmarks/forgetting.py                      # the runs that are missing; one core, some five minutes each
    python benchmarks/forgetting.py --arms shipped facts # only these
    python benchmarks/forgetting.py --report             # the table of docs/forgetting.md, without torch

Each run trains the bundled samples as long as a night does. Every run is one line of
`benchmarks/results/forgetting.jsonl`. Results: `docs/forgetting.md`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "forgetting.jsonl"


def measure(folder: Path, results: Path, arms: list[str]) -> None:
    """Make the missing runs, a seed of every arm first."""
    from benchmarks.forgetting_study.arms import BASE, SEEDS
    from benchmarks.forgetting_study.runs import append, made, read

    base, before = made(BASE, 0, folder, frozenset())
    if (BASE, 0) not in read(results):
        append(results, base)
    for seed in SEEDS:
        for arm in arms:
            if (arm, seed) in read(results):
                continue
            line, _ = made(arm, seed, folder, before)
            append(results, line)
            print(f"{arm} {seed}: {line.cpu_seconds:.0f} s  {line.kept}", flush=True)


def main() -> None:
    """Parse and run."""
    sys.path[0] = str(ROOT)  # a script has its own folder on the path, not the repository root
    from benchmarks.forgetting_study.arms import ARMS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "forgetting", help="where adapters are kept")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--arms", nargs="+", choices=tuple(ARMS), default=list(ARMS))
    parser.add_argument("--report", action="store_true")
    chosen = parser.parse_args()
    if chosen.report:
        from benchmarks.forgetting_study.report import report

        report(chosen.results, ROOT / "docs")
    else:
        measure(chosen.folder, chosen.results, chosen.arms)


if __name__ == "__main__":
    main()
