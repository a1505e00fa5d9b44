"""A simulated month of nights on the seedling: cost and retention of three policies.

    python benchmarks/month.py --policies replay --nights 30    # resumes; one core, about 10 minutes
    python benchmarks/month.py --report                         # tables and plot of docs/continual.md, without torch

Records grow from 24 to 248, the topic changes half-way, facts are forgotten twice. Every night is one line of
`benchmarks/results/month.jsonl`. Results: `docs/continual.md`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "month.jsonl"


def measure(folder: Path, results: Path, policies: list[str], nights: int) -> None:
    """Run the missing nights."""
    from benchmarks.month_study.nights import BASE, Month, append, read

    if (BASE, 0) not in read(results):
        append(results, Month(BASE, folder, {}).bare())
    for policy in policies:
        known = read(results)
        for line in Month(policy, folder, known).nights(nights):
            if (policy, line.night) in known:
                continue
            append(results, line)
            known[policy, line.night] = line
            asked = "  ".join(f"{name} {right}/{of}" for name, (right, of) in line.right.items())
            print(
                f"{policy} {line.night:2} {line.start} {line.tokens} tokens {line.cpu_seconds:.0f} s  {asked}",
                flush=True,
            )


def main() -> None:
    """Parse and run."""
    sys.path[0] = str(ROOT)  # a script has its own folder on the path, not the repository root
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "month", help="where adapters are kept")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument(
        "--policies", nargs="+", choices=("replay", "cold", "alone"), default=["replay", "cold", "alone"]
    )
    parser.add_argument("--nights", type=int, default=30)
    parser.add_argument("--report", action="store_true")
    chosen = parser.parse_args()
    if chosen.report:
        from benchmarks.month_study.report import report

        report(chosen.results, ROOT / "docs")
    else:
        measure(chosen.folder, chosen.results, chosen.policies, chosen.nights)


if __name__ == "__main__":
    main()
