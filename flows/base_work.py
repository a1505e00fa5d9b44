"""Adds or checks a base in the background, one at a time in a home: a detached `python -m flows.base_work`.

    start(home, environ, BaseWork("add", "oak", "~/models/oak", now))   # returns at once
    last_work(home)                                                     # how far it is, or how it ended

The process has its own session and outlives its parent. In `bases/`, `.work.json` says what was started in which
process, and `.status.json`, which that process writes, how far it is, and at its end what was found or which error; so
a restarted dashboard knows it too. Its output is in `logs/base-work.log`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from bonsai import bootstrap
from bonsai.actions.bases import add_base, check_base, plan_add
from bonsai.errors import BonsaiError, HomeError, LockTimeout, TerminalError, UsageError
from bonsai.model.base_sources import Hub, HuggingFaceHub
from bonsai.model.home_bases import BASES, BaseCheck
from bonsai.system.files import write_json_atomic
from bonsai.system.json_values import from_values, to_values
from bonsai.system.locks import file_lock, may_be_running, process_name
from bonsai.system.processes import error_event, python_path
from bonsai.system.progress import Progress
from bonsai.train.base_check import BaseChecker, ProcessBaseChecker

WORK, STATUS, LOCK, LOG = ".work.json", ".status.json", ".work.lock", "base-work.log"
WRITE_SECONDS = 1.0
"Progress is written at most once in this time."
Act = Literal["add", "check"]


@dataclass(frozen=True, slots=True)
class BaseWork:
    """What somebody started."""

    act: Act
    name: str
    "Of the base."
    source: str
    "What `plan_add` is given; empty for a check."
    at: datetime
    process: str = ""
    "`host:pid:start`; empty before it is started."


@dataclass(frozen=True, slots=True)
class WorkStatus:
    """How far it is, or how it ended."""

    step: str = ""
    "Its text is `cli.step_<step>`; empty while a source is looked at or downloaded."
    done: int = 0
    total: int = 0
    "0 while unknown."
    ended_at: datetime | None = None
    check: BaseCheck | None = None
    error: str = ""
    "Key of the text; empty if there was none."
    values: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LastWork:
    """The last work of a home."""

    work: BaseWork
    status: WorkStatus

    @property
    def state(self) -> Literal["running", "done", "failed", "died"]:
        """`failed`: with an error or a check that failed; `died`: the process ended without a word."""
        if self.status.ended_at is None:
            return "running" if may_be_running(self.work.process) else "died"
        return "done" if self.status.check and self.status.check.passed else "failed"

    @property
    def error(self) -> BonsaiError | None:
        """What ended it."""
        return TerminalError(self.status.error, **self.status.values) if self.status.error else None


def start(home: Path, environ: Mapping[str, str], work: BaseWork) -> None:
    """Start it. Raises UsageError while another one runs, HomeError for a home that cannot be written."""
    folder = home / BASES
    try:
        folder.mkdir(exist_ok=True, mode=0o700)
        with file_lock(folder / LOCK, exclusive=True, wait_seconds=0):
            require_none(home)
            for name in (WORK, STATUS):
                (folder / name).unlink(missing_ok=True)
            process = launch(home, environ, work)
            write_json_atomic(folder / WORK, to_values(replace(work, process=process)))
    except LockTimeout:  # somebody else is starting one
        raise UsageError("bases.work_runs") from None
    except OSError as error:
        raise HomeError("bases.unwritable", folder=folder, reason=error.strerror) from None


def require_none(home: Path) -> None:
    """Raises UsageError while a base is added or checked in the background."""
    found = last_work(home)
    if found and found.state == "running":
        raise UsageError("bases.work_runs")


def last_work(home: Path) -> LastWork | None:
    """The last work that was started in this home."""
    work = _read(home, WORK)
    if work is None:
        return None
    return LastWork(from_values(BaseWork, work), from_values(WorkStatus, _read(home, STATUS) or {}))


def _read(home: Path, name: str) -> object:
    try:
        return json.loads((home / BASES / name).read_text("utf-8"))
    except FileNotFoundError:
        return None


def launch(home: Path, environ: Mapping[str, str], work: BaseWork) -> str:
    """Start the process, detached; returns its name."""
    log = home / "logs" / LOG
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "flows.base_work", work.act, work.name, work.source],
            env={**os.environ, **environ, **python_path(os.environ), "BONSAI_HOME": str(home)},
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    threading.Thread(target=process.wait, daemon=True, name="base work").start()  # else it stays a zombie
    return process_name(process.pid)


def perform(
    home: Path, environ: Mapping[str, str], work: BaseWork, hub: Hub, checker: BaseChecker | None = None
) -> WorkStatus:
    """Do it, in this process; returns how it ended. `checker` is by default a process of its own."""
    file = home / BASES / STATUS
    status, written = WorkStatus(), 0.0

    def tell(progress: Progress) -> None:
        nonlocal status, written
        status = WorkStatus(progress.step, progress.done, progress.total)
        if time.monotonic() - written >= WRITE_SECONDS:
            written = time.monotonic()
            write_json_atomic(file, to_values(status))

    try:
        b = bootstrap.open(home, environ)
        checker = checker or ProcessBaseChecker(b.config.training.nice)
        if work.act == "add":
            plan = plan_add(b, work.source, work.name, hub)
            check = add_base(b, plan, datetime.now(UTC), hub, checker, tell).check
        else:
            check = check_base(b, work.name, datetime.now(UTC), checker, tell)
        status = replace(status, ended_at=datetime.now(UTC), check=check)
    except BonsaiError as error:
        event = error_event(error)
        status = replace(status, ended_at=datetime.now(UTC), error=event["key"], values=event["values"])
    write_json_atomic(file, to_values(status))
    return status


def main() -> int:
    """`python -m flows.base_work ACT NAME SOURCE`, in the home BONSAI_HOME; exit code 1 if it failed."""
    act, name, source = sys.argv[1:]
    work = from_values(BaseWork, {"act": act, "name": name, "source": source, "at": datetime.now(UTC)})
    ended = perform(Path(os.environ["BONSAI_HOME"]), os.environ, work, HuggingFaceHub())
    return 0 if ended.check and ended.check.passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
