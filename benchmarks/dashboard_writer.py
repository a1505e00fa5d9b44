"""The load of a night, for `benchmarks/dashboard.py`: commits of 200 records twice a second, or computation.

python benchmarks/dashboard_writer.py HOME FIGURES.json     # until killed; writes how long it waited and held
python benchmarks/dashboard_writer.py --burn                # one core, until killed
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bonsai.system import locks
from storage.scale.pacing import Pace

PAUSE_SECONDS = 0.5
RECORDS = 200


def write(home: Path, figures: Path) -> None:
    """Store records until killed."""
    from benchmarks.big_home import records, words_of_samples
    from bonsai import bootstrap
    from bonsai.system.files import write_json_atomic
    from storage.tables import records_table

    b, words, pace = bootstrap.open(home, {}), words_of_samples(), Pace()
    found = watch_lock()
    first = int(time.time() * 1_000)  # other records at each call
    while True:
        new = records(first + len(found["holds"]) * RECORDS, RECORDS, words)
        records_table.insert_paced(b.database, new, "night", datetime.now(UTC), pace)
        write_json_atomic(figures, found)
        time.sleep(PAUSE_SECONDS)


def watch_lock() -> dict[str, list[float]]:
    """Milliseconds that this process waits for and holds the database lock, from now on."""
    found: dict[str, list[float]] = {"waits": [], "holds": []}
    take = locks.file_lock

    @contextmanager
    def timed(path: Path, *, exclusive: bool, wait_seconds: float) -> Iterator[None]:
        began = time.perf_counter()
        with take(path, exclusive=exclusive, wait_seconds=wait_seconds):
            got = time.perf_counter()
            yield
        if path.suffix != ".lock":  # that of the writers among themselves
            return
        found["waits"].append(1_000 * (got - began))
        found["holds"].append(1_000 * (time.perf_counter() - got))

    locks.file_lock = timed
    return found


def burn() -> None:
    """Matrix products, as in a training."""
    import numpy as np

    one = np.random.default_rng(1).random((512, 512), np.float32)
    while True:
        one = one @ one
        one /= np.abs(one).max()


if __name__ == "__main__":
    burn() if sys.argv[1] == "--burn" else write(Path(sys.argv[1]), Path(sys.argv[2]))
