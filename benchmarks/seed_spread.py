"""How far apart two seeds of one recipe lie: the smallest gain that the gate may call progress.

    python -m benchmarks.seed_spread --seeds 4 --folder /tmp/spread        # about 3 minutes a seed on two cores
    python -m benchmarks.seed_spread --seeds 4 --folder /tmp/spread --teach household.jsonl

Trains the bundled samples with K seeds (same snapshot, same steps), asks all of them the selection and confirmation
pools, prints the gate's statistic for every pair, its 97.5 % quantile (`gate.min_gain_bits`), by how much each slice
differs, and the gate's verdict on each pair: between two seeds the truth is "no progress". Started again on the same
folder it goes on with what is there.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from bonsai import trial, wiring
from bonsai.benchmark import questions
from bonsai.benchmark.compare import Measure, Pair, Slice, compare, slices
from bonsai.benchmark.examination import BASE, Examination, Examined, Sheet, Subject, find
from bonsai.benchmark.report import Report, accuracy, bits_per_byte, mean
from bonsai.decision import Policy, decide
from bonsai.pipeline import intake, night
from bonsai.samples import sample_path

CONSOLE = Console(width=100)


@dataclass(frozen=True)
class Spread:
    """Everything measured."""

    adapters: tuple[str, ...]
    examined: tuple[Examined, ...]
    policy: Policy


def measure(folder: Path, seeds: Sequence[int], teach: Sequence[str]) -> Spread:
    """Train and examine one adapter a seed."""
    now = datetime.now(UTC)
    home = folder / "home"
    wiring.init(home, "en", now, os.environ)
    b = wiring.open(home, os.environ)
    for name in teach:
        intake.import_file(b, sample_path(name), now=now)
    begun = night.begin_night(b, now)
    job = trial.read_job(b.places.runs / begun.night)
    adapters = []
    for seed in seeds:
        run = folder / f"seed-{seed}"
        run.mkdir(parents=True, exist_ok=True)
        plan = replace(job.plan, seed=seed, run_folder=str(run), adapters_folder=str(folder / "adapters"))
        made = b.trainer.train(plan, lambda progress: None)
        CONSOLE.print(f"seed {seed}: {made.id} after {datetime.now(UTC) - now}")
        adapters.append(Subject(made.id, str(made.path)))
    sheets = tuple(Sheet(f"v1/{pool}", questions.load(pool)) for pool in ("selection", "confirmation"))
    examination = Examination(
        job.plan.base, job.plan.device, job.plan.recipe.template, (Subject(BASE), *adapters), sheets, job.settings,
        str(folder / "reports"), now.isoformat(),
    )  # fmt: skip
    examined = b.examiner.examine(examination, lambda done, total: None)
    return Spread(tuple(one.adapter for one in adapters), examined, job.policy)


def show_accuracy(spread: Spread) -> None:
    """Right answers and bits per byte of each model by domain and language."""
    reports = [find(spread.examined, name, "v1/selection") for name in (BASE, *spread.adapters)]
    parts = slices(reports[0], 1)
    table = Table("selection", *(report.subject[:6] for report in reports))
    for part in parts:
        cells = []
        for report in reports:
            items = [item for item in report.items if part.holds(item)]
            right = mean(items, accuracy)
            share = "-" if right is None else f"{right:.0%}"
            cells.append(f"{share} {mean(items, bits_per_byte):.3f}")
        table.add_row(part.name, *cells)
    CONSOLE.print(table)


def show_differences(spread: Spread) -> None:
    """The gate's statistic for every ordered pair of seeds, overall and by slice."""
    policy = spread.policy
    reports = [find(spread.examined, name, "v1/selection") for name in spread.adapters]
    parts: tuple[Slice, ...] = (Slice("all"), Slice("ja", None, "ja"), Slice("en", None, "en"))
    parts += (Slice("retention", policy.retention_domains), *slices(reports[0], policy.min_slice_clusters))
    table = Table("slice", "97.5 % of |difference|", "largest", "bits/byte")
    for part in parts:
        found = [abs(_difference(pair, part, policy.bits, policy)) for pair in permutations(reports, 2)]
        level = float(np.mean([mean((i for i in r.items if part.holds(i)), bits_per_byte) or 0.0 for r in reports]))
        table.add_row(part.name, f"{np.quantile(found, 0.975):.4f}", f"{max(found):.4f}", f"{level:.3f}")
    CONSOLE.print(table)


def _difference(pair: tuple[Report, Report], part: Slice, measure: Measure, policy: Policy) -> float:
    return compare(Pair(*pair), part, measure, policy.slice_bootstrap, frozenset()).mean


def show_verdicts(spread: Spread) -> None:
    """What the gate says: of each seed against the base (true progress) and against each other seed (none)."""
    for title, pairs in (
        ("against the base", [(name, BASE) for name in spread.adapters]),
        ("against another seed", list(permutations(spread.adapters, 2))),
    ):
        verdicts: Counter[str] = Counter()
        for challenger, champion in pairs:
            decision = decide(
                find(spread.examined, challenger, "v1/selection"),
                find(spread.examined, champion, "v1/selection"),
                base=find(spread.examined, BASE, "v1/selection"),
                confirm=lambda c=challenger, o=champion: Pair(  # type: ignore[misc]
                    find(spread.examined, c, "v1/confirmation"), find(spread.examined, o, "v1/confirmation")
                ),
                policy=spread.policy,
            )
            verdicts[decision.verdict] += 1
            blocked = [f"{r.rule} {r.name} {r.figure}" for r in decision.rules if r.outcome in ("fail", "unclear")]
            CONSOLE.print(f"{challenger[:6]} {champion[:6]} {decision.verdict}: {'; '.join(blocked)}")
        CONSOLE.print(title, json.dumps(verdicts))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--teach", nargs="*", default=["experience.jsonl"])
    chosen = parser.parse_args()
    spread = measure(chosen.folder, range(1, chosen.seeds + 1), chosen.teach)
    show_accuracy(spread)
    show_differences(spread)
    show_verdicts(spread)


if __name__ == "__main__":
    main()
