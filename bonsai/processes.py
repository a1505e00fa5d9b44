"""Heavy work in a process of its own: a killed memory or a CUDA fault never takes the caller down.

    result = run_worker("bonsai.training.worker", plan_file, log=run / "log.txt", on_event=show)

The child speaks JSON lines on its standard output; what libraries print goes to the log with its standard error. It
runs at low priority, in its own process group, and ends when its parent does: it watches its standard input, which
the kernel closes with the parent, whatever killed it. (PR_SET_PDEATHSIG would be bound to the parent's *thread*.)

A worker is a module whose `main` is `return serve(work)`; its errors arrive in the parent as the same `BonsaiError`.
One that stays for many requests is `bonsai.resident`'s, made of the same parts.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from bonsai import errors
from bonsai.errors import BonsaiError, TerminalError, WorkerDied

Emit = Callable[[Mapping[str, Any]], None]
"""Sends one event to the parent; an event has a `type` and JSON values."""
Work = Callable[[Path, Emit], Mapping[str, Any]]
"""A worker's work: argument file in, result out."""

_STOP_SECONDS = 10.0
YIELDING = 19
"The lowest priority: beside a page that a person waits for, it gets 1 % of the processor instead of the 10 % of 10."
_PATIENT = {"OMP_WAIT_POLICY": "PASSIVE"}
"""torch's threads spin while they wait for each other: beside other busy processes a step took 20 times as long."""


def run_worker(
    module: str,
    argument: Path,
    *,
    log: Path,
    on_event: Callable[[Mapping[str, Any]], None],
    nice: int = YIELDING,
    environment: Mapping[str, str] | None = None,
    launcher: Sequence[str] = (),
) -> dict[str, Any]:
    """Run `python -m module argument` to its end and return its result.

    `launcher` is a module with its options that starts `module`, once or several times; each of these is ended with
    this process, and the first error of any of them is raised.

    Raises the child's own BonsaiError, WorkerDied when a signal ended it, TerminalError when it broke otherwise.
    """
    result: dict[str, Any] | None = None
    with started((*launcher, module, str(argument)), log, nice, environment or {}) as child:
        assert child.stdout is not None
        for event in read_events(child.stdout):
            if event["type"] == "error":
                raise error_of(event)
            if event["type"] == "done":
                result = event["result"]
            else:
                on_event(event)
        code = child.wait()
    if code < 0:
        raise WorkerDied("processes.killed", module=module, signal=signal.Signals(-code).name, log=log)
    if code != 0 or result is None:
        raise TerminalError("processes.broken", module=module, code=code, log=log)
    return result


@contextmanager
def started(
    command: Sequence[str], log: Path, nice: int, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A running child, which does not outlive the block."""
    log.parent.mkdir(parents=True, exist_ok=True)
    root = str(Path(__file__).parents[1])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    with log.open("ab") as stderr:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", *command],  # -P: no module of the current folder gets in
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
            env={**_PATIENT, **os.environ, "PYTHONPATH": path, **environment},
        )
    with suppress(ProcessLookupError, PermissionError):
        os.setpriority(os.PRIO_PROCESS, child.pid, nice)
    try:
        yield child
    finally:
        _stop(child)


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Close the pipes, which asks the child to end; then make sure of it."""
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def read_events(stdout: IO[bytes]) -> Iterator[dict[str, Any]]:
    """What a child says, until it closes its end."""
    for line in stdout:
        try:
            event = json.loads(line)
        except ValueError:
            continue  # the last line of a child that was killed while it wrote
        if isinstance(event, dict) and "type" in event:
            yield event


def error_of(event: Mapping[str, Any]) -> BonsaiError:
    """The child's error, to be raised here."""
    kind = getattr(errors, str(event["kind"]), TerminalError)
    if not (isinstance(kind, type) and issubclass(kind, BonsaiError)):
        kind = TerminalError
    return kind(str(event["key"]), **event["values"])


def serve(work: Work) -> int:
    """A worker's `main`: run `work` on the file named by the first argument; returns the exit code."""
    emit = make_emitter()
    _end_with_parent()
    try:
        result = work(Path(sys.argv[1]), emit)
    except BonsaiError as error:
        emit(error_event(error))
        return error.exit_code
    emit({"type": "done", "result": result})
    return 0


def error_event(error: BonsaiError) -> dict[str, Any]:
    """An error as the parent's `error_of` reads it."""
    values = {name: value if isinstance(value, int | float) else str(value) for name, value in error.values.items()}
    return {"type": "error", "kind": type(error).__name__, "key": error.key, "values": values}


def make_emitter() -> Emit:
    """Keep the standard output for events alone: from here on, prints of libraries go to the log."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)

    def emit(event: Mapping[str, Any]) -> None:
        channel.write(json.dumps(event, ensure_ascii=False) + "\n")

    return emit


def _end_with_parent() -> None:
    """End this process when its standard input, a pipe held by the parent, closes."""
    if not stat.S_ISFIFO(os.fstat(0).st_mode):
        return  # started by hand in a terminal

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os._exit(128 + signal.SIGHUP)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
