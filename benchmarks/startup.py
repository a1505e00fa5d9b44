"""Start time of the terminal: best and median of several starts of each command, as a table.

python benchmarks/startup.py            # about 10 s
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
STARTS = 7
LIMIT_SECONDS = 0.6
"Of `bonsai --help`."
COMMANDS = (("--help",), ("records", "--help"), ("records", "list", "--help"), ("records", "list"), ("night", "list"))


def seconds(command: tuple[str, ...], home: str) -> list[float]:
    """Wall-clock seconds of each start."""
    taken = []
    for _ in range(STARTS):
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "bonsai.cli.main", *command],
            cwd=ROOT,
            env={**os.environ, "BONSAI_HOME": home},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        taken.append(time.perf_counter() - began)
    return taken


def main() -> None:
    """Print the table; exit code 1 if `bonsai --help` exceeds its limit."""
    with TemporaryDirectory() as folder:
        home = f"{folder}/home"
        seconds_to_make = seconds(("init",), home)
        print(f"{'command':<30}{'best s':>8}{'median s':>10}")
        print(f"{'bonsai init':<30}{min(seconds_to_make):>8.2f}{statistics.median(seconds_to_make):>10.2f}")
        help_seconds = LIMIT_SECONDS
        for command in COMMANDS:
            taken = seconds(command, home)
            print(f"{'bonsai ' + ' '.join(command):<30}{min(taken):>8.2f}{statistics.median(taken):>10.2f}")
            if command == COMMANDS[0]:
                help_seconds = statistics.median(taken)
    raise SystemExit(help_seconds > LIMIT_SECONDS)


if __name__ == "__main__":
    main()
