"""A night without new records against an empty flow: the cost of a night beyond the start of Prefect.

python benchmarks/idle_night.py         # about 40 s
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
STARTS = 3
LIMIT_SECONDS = 2.0
NOTHING = """
import os, sys
from pathlib import Path
from bonsai.config.settings import load_config
from flows import server
home = Path(sys.argv[1])
settings = load_config(home, {}).prefect
with server.alone(home, settings, os.environ) as up:
    os.environ.clear()
    os.environ.update({**up.environ, "PREFECT_LOGGING_LEVEL": "CRITICAL", "PREFECT_LOGGING_TO_API_ENABLED": "false"})
    from prefect import flow
    server.wait_until_it_answers(up.children[0], up.url, settings.server_startup_seconds)
    flow(lambda: None, name="nothing")()
"""


def seconds(*command: str, home: str) -> float:
    """Median wall-clock seconds of several runs, after one that creates Prefect's database."""
    taken = []
    for _ in range(STARTS + 1):
        began = time.perf_counter()
        environ = {**os.environ, "BONSAI_HOME": home}
        subprocess.run([sys.executable, *command], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, check=True)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[1:])


def main() -> None:
    """Print the table; exit code 1 if the night exceeds its limit."""
    with TemporaryDirectory() as folder:
        home = f"{folder}/home"
        subprocess.run(
            [sys.executable, "-m", "bonsai.cli.main", "init"],
            cwd=ROOT,
            env={**os.environ, "BONSAI_HOME": home},
            check=True,
        )
        nothing = seconds("-c", NOTHING, home, home=home)
        night = seconds("-m", "bonsai.cli.main", "night", "run", home=home)
    print(f"{'':<42}{'median s':>9}")
    print(f"{'a flow that does nothing':<42}{nothing:>9.2f}")
    print(f"{'bonsai night run, nothing to do':<42}{night:>9.2f}")
    print(f"{'the night itself (limit ' + str(LIMIT_SECONDS) + ')':<42}{night - nothing:>9.2f}")
    raise SystemExit(night - nothing > LIMIT_SECONDS)


if __name__ == "__main__":
    main()
