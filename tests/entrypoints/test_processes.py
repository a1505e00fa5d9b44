from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bonsai.errors import ConfigError, TerminalError, WorkerDied
from bonsai.system.processes import run_worker

WORKER = """
import os, signal, sys, time
from bonsai.errors import ConfigError
from bonsai.system.processes import serve

def work(argument, emit):
    told = argument.read_text()
    if told == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if told == "refuse":
        raise ConfigError("model.profile_unknown", name="oak", known=argument.name)
    if told == "break":
        raise ZeroDivisionError("the reason")
    if told == "sleep":
        (argument.parent / "pid").write_text(str(os.getpid()))
        time.sleep(60)
    print("a library talks")
    emit({"type": "progress", "step": 1, "text": "日本"})
    return {"nice": os.getpriority(os.PRIO_PROCESS, 0), "path": sys.path[0]}

if __name__ == "__main__":
    sys.exit(serve(work))
"""
PARENT = """
import sys
from pathlib import Path
from bonsai.system.processes import run_worker
run_worker("a_worker", Path(sys.argv[1]), log=Path(sys.argv[2]), on_event=print)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "a_worker.py").write_text(WORKER, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def run(folder: Path, told: str, events: list[Mapping[str, Any]] | None = None) -> dict[str, Any]:
    argument = folder / "argument.txt"
    argument.write_text(told)
    seen: list[Mapping[str, Any]] = [] if events is None else events
    return run_worker("a_worker", argument, log=folder / "log.txt", on_event=seen.append, nice=7)


def test_events_arrive_in_order_and_prints_go_to_the_log(folder: Path) -> None:
    events: list[Mapping[str, Any]] = []

    result = run(folder, "work", events)

    assert events == [{"type": "progress", "step": 1, "text": "日本"}]
    assert result["nice"] == 7
    assert "a library talks" in (folder / "log.txt").read_text("utf-8")


def test_a_refusal_is_raised_again_in_the_parent(folder: Path) -> None:
    with pytest.raises(ConfigError, match="oak") as caught:
        run(folder, "refuse")

    assert caught.value.values == {"name": "oak", "known": "argument.txt"}


def test_a_signal_is_named_with_the_log(folder: Path) -> None:
    with pytest.raises(WorkerDied, match=r"SIGKILL.*log\.txt"):
        run(folder, "die")


def test_a_crash_names_the_log_that_holds_the_reason(folder: Path) -> None:
    with pytest.raises(TerminalError, match=r"log\.txt"):
        run(folder, "break")

    assert "ZeroDivisionError: the reason" in (folder / "log.txt").read_text("utf-8")


def test_a_worker_ends_when_its_parent_is_killed(folder: Path) -> None:
    argument = folder / "argument.txt"
    argument.write_text("sleep")
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(argument), str(folder / "log.txt")])
    pid = int(wait_for(folder / "pid"))

    parent.kill()
    parent.wait()

    deadline = time.monotonic() + 10
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(pid)


def test_a_callback_that_fails_ends_the_worker(folder: Path) -> None:
    def fail(_event: Mapping[str, Any]) -> None:
        raise KeyboardInterrupt

    argument = folder / "argument.txt"
    argument.write_text("work")
    with pytest.raises(KeyboardInterrupt):
        run_worker("a_worker", argument, log=folder / "log.txt", on_event=fail)


def wait_for(file: Path) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if file.exists() and file.read_text():
            return file.read_text()
        time.sleep(0.05)
    raise AssertionError(f"{file} never appeared")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
