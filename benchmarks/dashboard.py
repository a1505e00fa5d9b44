"""Speed of the dashboard with 1,000, 100,000 and a million records: start, memory, every page, search, locks.

    python benchmarks/dashboard.py                              # builds the homes first; minutes
    python benchmarks/dashboard.py --records 1000 --beside-night
    python benchmarks/dashboard.py --homes FOLDER --json        # keeps the homes, and reuses existing ones

A real `bonsai dashboard` answers one client over one connection. Every linked page is requested in turn,
up to three addresses of each kind, and its bytes are counted together with the files it loads. `--beside-night`
adds the load of a night: both cores busy at the night's priority, and a writer from the first page on.
Exit code 1 if a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parents[1]))

from rich.console import Console
from rich.table import Table

from benchmarks.big_home import PLANTED, grow
from benchmarks.dashboard_client import Browser, Timed, add_record, cpu_seconds, crawl
from bonsai.context import Bonsai

ROOT = Path(__file__).parents[1]
ROUNDS = 15
COMMITS = 20
MAX_PAGE_MS, MAX_SEARCH_MS, MAX_EXCLUSIVE_MS = 150.0, 800.0, 100.0
MAX_START_SECONDS, MAX_MB, MAX_PAGE_BYTES = 2.0, 250.0, 120_000
MAX_STORED_SECONDS = 10.0
FIRST_HITS = 50
SEARCHES = (
    ("common", "en", "cat"),
    ("common", "ja", "猫"),
    ("rare", "en", PLANTED["en"]),
    ("rare", "ja", PLANTED["ja"]),
    ("absent word", "en", "quokka"),
    ("absent word", "ja", "銀河鉄道"),
    ("absent phrase", "en", "cat the why of cat"),
    ("absent phrase", "ja", "猫は猫は猫"),
    ("absent character", "ja", "麒"),
)
"(kind, language, query). A phrase of common words is the hardest: its parts occur everywhere."


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of the dashboard on one home."""

    records: int
    beside_night: bool
    start_seconds: float
    "From the start of the command to the first page."
    startcpu_seconds: float
    idle_mb: float
    "Resident memory after the first page."
    peak_mb: float
    pages: tuple[Timed, ...]
    searches: tuple[Timed, ...]
    writer_waits: Timed
    "How long a writer waits for the lock while pages are read one after the other."
    writer_holds: Timed
    "How long a commit of 200 records holds the lock: open, insert, commit, close."
    told_seconds: float
    "From sending the form until a search finds the record."
    foreign: tuple[str, ...]
    "External addresses that a page would load."


@contextmanager
def dashboard(home: Path, began: float) -> Iterator[tuple[Browser, int, float, float]]:
    """A running dashboard: client, process id, seconds to the first page, CPU seconds to the first page."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environ = {**os.environ, "BONSAI_HOME": str(home), "BONSAI_DASHBOARD__PAGE_SIZE": str(FIRST_HITS)}
    command = [sys.executable, "-P", "-m", "bonsai.cli.main", "dashboard", "--port", str(port)]
    process = subprocess.Popen(command, env=environ, cwd=ROOT, stdout=subprocess.DEVNULL)
    browser = Browser(port, process.pid)
    try:
        while True:
            try:
                browser.get("/")
                break
            except ConnectionRefusedError:
                browser.connection = None
                if process.poll() is not None or time.perf_counter() - began > 60:
                    raise SystemExit("bonsai dashboard did not start") from None
                time.sleep(0.02)
        yield browser, process.pid, time.perf_counter() - began, cpu_seconds(process.pid)
    finally:
        process.terminate()
        process.wait()


def _megabytes(pid: int, name: str) -> float:
    return int(re.search(rf"{name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text("utf-8"))[1]) / 1024  # type: ignore[index]


@contextmanager
def _beside(b: Bonsai, folder: Path, burn: bool) -> Iterator[Callable[[], tuple[Timed, Timed] | None]]:
    """A writer, and with `burn` two busy processes as in a night. Yields a function: figures, or None while too few."""
    figures_file = folder / "writer.json"
    figures_file.unlink(missing_ok=True)
    me = [sys.executable, str(Path(__file__).with_name("dashboard_writer.py"))]
    nice = ["nice", "-n", str(b.config.training.nice)]
    started = [subprocess.Popen([*me, str(b.home), str(figures_file)])]
    started += [subprocess.Popen([*nice, *me, "--burn"]) for _ in range(2 if burn else 0)]

    def figures() -> tuple[Timed, Timed] | None:
        found = json.loads(figures_file.read_text("utf-8")) if figures_file.is_file() else {"holds": ()}
        if len(found["holds"]) < COMMITS:
            return None
        return Timed("a writer waits", tuple(found["waits"])), Timed("a writer holds", tuple(found["holds"]))

    try:
        while not figures_file.is_file():  # in a real night the writer started long before; do not measure its start
            if started[0].poll() is not None:
                raise SystemExit("the writer did not start")
            time.sleep(0.05)
        yield figures
    finally:
        for process in started:
            process.kill()
            process.wait()


def measure(home: Path, size: int, night: bool, rounds: int) -> Measured:
    """Measure one home; build it if it is missing."""
    b = grow(home, size)
    with ExitStack() as stack:
        if night:
            figures = stack.enter_context(_beside(b, home, burn=True))
        browser, pid, seconds, cpu = stack.enter_context(dashboard(home, time.perf_counter()))
        idle = _megabytes(pid, "VmRSS")
        kinds = crawl(browser)
        pages = tuple(browser.timed(kind, paths, rounds) for kind, paths in sorted(kinds.items()))
        asked = {f"{kind} ({language}): {words}": f"/records?text={quote(words)}" for kind, language, words in SEARCHES}
        asked["the same, long before"] = f"{kinds['/timeline'][0]}&past=999999"  # continues from the newest part
        searches = tuple(browser.timed(name, [path], rounds) for name, path in asked.items())
        stored_seconds = add_record(browser)
        peak = _megabytes(pid, "VmHWM")
        if not night:  # the writer comes last, so that its records do not change the figures of the pages
            figures = stack.enter_context(_beside(b, home, burn=False))
        while (found := figures()) is None:
            browser.timed("/", ["/", "/records"], rounds)
        foreign = tuple(sorted(browser.foreign))
    return Measured(size, night, seconds, cpu, idle, peak, pages, searches, *found, stored_seconds, foreign)


def goals(one: Measured) -> list[tuple[str, float, float]]:
    """(name, figure, limit) of each goal."""
    return [
        ("start, s", one.start_seconds, MAX_START_SECONDS),
        ("  of that in the process, CPU s", one.startcpu_seconds, MAX_START_SECONDS),
        ("peak memory, MB", one.peak_mb, MAX_MB),
        ("slowest page, p95 ms", max(page.p95 for page in one.pages), MAX_PAGE_MS),
        ("slowest search, p95 ms", max(search.p95 for search in one.searches), MAX_SEARCH_MS),
        ("commit keeps others out, p95 ms", one.writer_holds.p95, MAX_EXCLUSIVE_MS),
        ("writer waits for pages, p95 ms", one.writer_waits.p95, MAX_EXCLUSIVE_MS),
        ("a told record is stored, s", one.told_seconds, MAX_STORED_SECONDS),
        ("heaviest page, bytes", max(page.bytes for page in one.pages), MAX_PAGE_BYTES),
        ("loaded from elsewhere", len(one.foreign), 0),
    ]


def tables(one: Measured) -> Iterator[Table]:
    """One table of the goals, one of every page and search."""
    beside = ", beside a night" if one.beside_night else ""
    made = Table("", "measured", "goal", "", title=f"{one.records:,} records{beside}")
    for name, figure, limit in goals(one):
        made.add_row(name, f"{figure:,.1f}", f"<= {limit:,.0f}", "" if figure <= limit else "missed")
    yield made
    each = Table("", "p50 ms", "p95 ms", "max ms", "CPU ms", "bytes")
    for timed in (*one.pages, *one.searches, one.writer_waits, one.writer_holds):
        figures = (timed.p50, timed.p95, max(timed.milliseconds), timed.cpu_ms)
        shown = ("" if figure is None else f"{figure:,.0f}" for figure in figures)
        each.add_row(timed.name, *shown, f"{timed.bytes:,}" if timed.bytes else "")
    yield each


def main() -> None:
    """Print the tables; exit code 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--homes", type=Path, help="where the homes are kept; else they are thrown away")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--beside-night", action="store_true", help="while a night computes and commits")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = given.homes or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        found = [measure(folder / str(n), n, given.beside_night, given.rounds) for n in given.records]
    if given.json:
        print(json.dumps([asdict(one) for one in found], ensure_ascii=False))
    else:
        for one in found:
            for table in tables(one):
                Console(width=100).print(table)
    raise SystemExit(any(figure > limit for one in found for _, figure, limit in goals(one)))


if __name__ == "__main__":
    main()
