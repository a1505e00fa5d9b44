"""A lock file: how who waits looks again, what a fork keeps, and which process is which."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bonsai.errors import LockTimeout
from bonsai.system import locks

ROOT = Path(__file__).parents[2]


class Clock:
    """Stands still but for the sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[tuple[float, float]] = []
        "After so long a wait, so long."

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append((self.now, seconds))
        self.now += seconds


def test_who_waits_is_late_by_little_and_looks_seldom_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, clock = tmp_path / "lock", Clock()
    looks: list[float] = []
    with locks.file_lock(path, exclusive=True, wait_seconds=1):
        monkeypatch.setattr(locks, "time", clock)
        with (
            pytest.raises(LockTimeout),
            locks.file_lock(path, exclusive=False, wait_seconds=20, while_waiting=lambda: looks.append(clock.now)),
        ):
            pass
        monkeypatch.undo()
    assert all(seconds <= max(0.1 * waited, 0.002) for waited, seconds in clock.slept)
    assert clock.slept[-1][1] == 0.05
    assert len(looks) == len(clock.slept) < 450  # not a thousand times a second for hours


def test_a_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    ready, let_go = os.pipe()
    with locks.file_lock(path, exclusive=True, wait_seconds=1):
        child = os.fork()
        if child == 0:
            os.close(let_go)
            os.read(ready, 1)
            os._exit(0)
    with locks.file_lock(path, exclusive=True, wait_seconds=0.5):
        os.close(let_go)
        os.close(ready)
        assert os.waitpid(child, 0)[1] == 0


def test_a_process_is_known_by_its_start_not_by_its_number_alone() -> None:
    mine = locks.process_name()
    assert locks.may_be_running(mine)
    assert not locks.may_be_running(mine + "1")
    assert locks.may_be_running("another-host:1:1")
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
            "from bonsai.system.locks import process_name; print(process_name())",
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        name = process.communicate()[0].strip()
    assert not locks.may_be_running(name)
