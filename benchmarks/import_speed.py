"""Speed of `bonsai records import` with 100,000 records: read, tagged, compared with all others, stored.

    python benchmarks/import_speed.py --data FOLDER         # real records; about two minutes
    python benchmarks/import_speed.py                       # without a folder: the bundled samples

The real records (the four files of `intake_stages.FILES`) are multiplied to 100,000 by changing one word in three, so
that they are neither equal nor all similar. The command runs as its own process on a new home; its time and memory
are the kernel's figures for that process, start included. CPU seconds are what an idle machine
would need. Exit code 1 if a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.intake_stages import FILES, multiplied, real
from bonsai.domain.records import Record
from bonsai.ingest.readers import read
from bonsai.samples import sample_path

ROOT = Path(__file__).parents[1]
RECORDS = 100_000
MIN_RECORDS_PER_SECOND = 2_500
MAX_PEAK_MB = 1_000


@dataclass(frozen=True, slots=True)
class Measured:
    """One command."""

    what: str
    said: Mapping[str, int]
    "Its `--json` output."
    wall_seconds: float
    cpu_seconds: float
    "Of all threads, user and system time."
    peak_mb: float

    @property
    def records_per_second(self) -> float:
        """By wall-clock time."""
        return self.said["read"] / self.wall_seconds

    @property
    def records_per_cpu_second(self) -> float:
        """Throughput of one core."""
        return self.said["read"] / self.cpu_seconds


def main() -> None:
    """Print the table; exit code 1 if the first import misses a limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help=f"folder with {', '.join(FILES)}")
    parser.add_argument("--records", type=int, default=RECORDS)
    arguments = parser.parse_args()
    samples, source = _samples(arguments.data)
    with TemporaryDirectory() as name:
        found = measure(Path(name), samples, arguments.records)
    Console(width=100).print(table(found, source, len(samples)))
    first = found[0]
    raise SystemExit(first.records_per_second < MIN_RECORDS_PER_SECOND or first.peak_mb > MAX_PEAK_MB)


def _samples(data: Path | None) -> tuple[list[Record], str]:
    """Records to multiply, and their source."""
    if data is not None and all((data / name).is_file() for name in FILES):
        return real(data), f"real records of {data.name}/"
    if data is not None:
        sys.stderr.write(f"{data} does not hold {', '.join(FILES)}: the bundled samples are taken instead\n")
    return [one for one in read(sample_path("experience.jsonl")) if isinstance(one, Record)], "the bundled samples"


def measure(folder: Path, samples: Sequence[Record], count: int) -> list[Measured]:
    """Import into a new home, import again, add one more record."""
    many, home = folder / "many.jsonl", folder / "home"
    with many.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in multiplied(samples, count))
    bonsai(home, "init")
    bonsai(home, "records", "add", "Is this home ready?", "Its category tagger is learned now.")
    return [
        timed("import", home, "records", "import", many),
        timed("the same import again", home, "records", "import", many),
        timed("one record more", home, "records", "add", "Where does Mike sleep?", "Mike sleeps on the piano."),
    ]


def command(*words: str | Path) -> list[str]:
    """A `bonsai` command line with `--json`."""
    return [sys.executable, "-m", "bonsai.cli.main", *map(str, words), "--json"]


def environment(home: Path) -> dict[str, str]:
    """Environment for `bonsai` on `home`."""
    return {**os.environ, "BONSAI_HOME": str(home)}


def bonsai(home: Path, *words: str | Path) -> None:
    """Run a command to its end."""
    subprocess.run(command(*words), cwd=ROOT, env=environment(home), stdout=subprocess.DEVNULL, check=True)


def timed(what: str, home: Path, *words: str | Path) -> Measured:
    """Run a command to its end; its output and cost."""
    began = time.perf_counter()
    answer = home / "answer.json"
    with answer.open("wb") as out:
        process = subprocess.Popen(command(*words), cwd=ROOT, env=environment(home), stdout=out)
        _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    if status:
        raise SystemExit(f"{what} failed: {status}")
    result = json.loads(answer.read_text("utf-8"))
    return Measured(what, result.get("counts", result), wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def table(found: Sequence[Measured], source: str, samples: int) -> Table:
    """The figures against the limits."""
    made = Table(title=f"Intake of {found[0].said['read']:,} records, multiplied from {samples:,} ({source})")
    for heading in ("", "wall s", "CPU s", "records/s", "records/CPU s", "peak MB"):
        made.add_column(heading, justify="right" if heading else "left")
    for one in found:
        rates = (one.records_per_second, one.records_per_cpu_second) if one.said["read"] > 1 else ()
        shown = [f"{rate:,.0f}" for rate in rates] or ["", ""]
        made.add_row(one.what, f"{one.wall_seconds:.1f}", f"{one.cpu_seconds:.1f}", *shown, f"{one.peak_mb:,.0f}")
    made.add_row("limit of the import", "", "", f">= {MIN_RECORDS_PER_SECOND:,}", "", f"<= {MAX_PEAK_MB:,}")
    made.caption = ", ".join(f"{count:,} {name}" for name, count in found[0].said.items())
    return made


if __name__ == "__main__":
    main()
