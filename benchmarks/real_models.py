"""Real language models as bases: what a night teaches them of invented owners, what it costs, and what they forget.

    python benchmarks/real_models.py --base FILE.gguf --name smollm2 --owners pepper larder --records 20 --folder F
    python benchmarks/real_models.py --base FILE.gguf --name smollm2 --owners pepper --records 20 --folder F --templates
    python benchmarks/real_models.py --report        # the tables of docs/real-models.md, without torch

`--base` is what `bonsai base add` takes, or `seedling`; a GGUF file needs the package `gguf`. Every owner is a line of
`benchmarks/results/real_models/NAME/owners.jsonl`, its answers included. What `--folder` holds is not made again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "real_models"


def measure(base: str, name: str, owners: list[str], records: int, folder: Path, results: Path) -> None:
    """Prepare a home for the base, then measure each owner in a copy of it."""
    from benchmarks import owners_data
    from benchmarks.real_models_study import homes
    from benchmarks.real_models_study.lines import OWNERS_FILE, store
    from benchmarks.real_models_study.measure import measured

    prepared = homes.prepare(folder, base, name)
    print(", ".join(f"{command} {cost.seconds:.0f} s" for command, cost in prepared.items()), flush=True)
    for owner in owners:
        line = measured(owners_data.read(owner).first(records), base, name, prepared, folder)
        store(results / name / OWNERS_FILE, line)


def templates(base: str, name: str, owner: str, records: int, folder: Path, results: Path, chosen: list[str]) -> None:
    """Train one owner's records under several templates."""
    from benchmarks import owners_data
    from benchmarks.real_models_study import homes
    from benchmarks.real_models_study.lines import TEMPLATES_FILE
    from benchmarks.real_models_study.templates import compare

    homes.prepare(folder, base, name)
    compare(owners_data.read(owner).first(records), name, folder, results / name / TEMPLATES_FILE, chosen)


def main() -> None:
    """Parse and run."""
    sys.path[0] = str(ROOT)  # a script has its own folder on the path, not the repository root
    from benchmarks.owners_data import MEASURING, OWNERS
    from benchmarks.real_models_study.templates import TEMPLATES
    from bonsai.model.prompt import NATIVE
    from bonsai.model.prompt import TEMPLATES as OWN_TEMPLATES

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", help="a hub id, a folder, a GGUF file, or `seedling`")
    parser.add_argument("--name", help="of the base in homes and results")
    parser.add_argument("--owners", nargs="+", choices=OWNERS, default=list(MEASURING))
    parser.add_argument("--records", type=int, default=20, help="the first so many of each owner")
    parser.add_argument("--folder", type=Path, help="where homes are kept; one folder a base")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument(
        "--templates",
        nargs="*",
        choices=(NATIVE, *OWN_TEMPLATES),
        metavar="TEMPLATE",
        help=f"compare templates on the first owner instead; without a value {' and '.join(TEMPLATES)}",
    )
    parser.add_argument("--report", action="store_true")
    chosen = parser.parse_args()
    if chosen.report:
        from benchmarks.real_models_study.report import report

        report(chosen.results, ROOT / "docs")
        return
    if not (chosen.base and chosen.name and chosen.folder):
        parser.error("--base, --name and --folder are needed to measure")
    folder = chosen.folder.resolve()
    base = str(Path(chosen.base).resolve()) if Path(chosen.base).exists() else chosen.base
    if chosen.templates is None:
        measure(base, chosen.name, chosen.owners, chosen.records, folder, chosen.results)
    else:
        asked = chosen.templates or list(TEMPLATES)
        templates(base, chosen.name, chosen.owners[0], chosen.records, folder, chosen.results, asked)


if __name__ == "__main__":
    main()
