"""Worker processes for heavy work, so that an out-of-memory kill or a CUDA fault never ends the caller.

    result = run_worker("bonsai.train.worker", plan_file, log=run / "log.txt", on_event=show)

The child writes JSON lines to its standard output; what libraries print goes to the log with its standard error. It
runs at low priority in its own process group and ends with its parent: it watches its standard input, which the kernel
closes however the parent dies. (PR_SET_PDEATHSIG is bound to the parent's *thread*.)

A worker is a module whose `main` is `return serve(work)`; its errors are raised in the parent as the same
`BonsaiError`. A `ResidentWorker` stays for many requests; its `main` is `return serve_requests(handle)`.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any

from bonsai import errors
from bonsai.errors import BonsaiError, TerminalError, TransientError, WorkerDied

CODE = Path(__file__).parents[2]
"The folder that holds the packages `bonsai`, `storage` and `flows`: a clone, or `site-packages`."
Emit = Callable[[Mapping[str, Any]], None]
"""Sends one event to the parent; an event has a `type` and JSON values."""
Work = Callable[[Path, Emit], Mapping[str, Any]]
"""A worker's work: argument file in, result out."""

_STOP_SECONDS = 10.0
LOWEST_PRIORITY = 19
"Beside a page that a person waits for, a worker gets 1 % of the CPU time; at nice 10 it gets 10 %."
_PASSIVE_WAIT = {"OMP_WAIT_POLICY": "PASSIVE"}
"""torch's threads busy-wait by default: beside other busy processes a step took 20 times as long."""


def counting(on_progress: Callable[[int, int], None]) -> Callable[[Mapping[str, Any]], None]:
    """An `on_event` that passes on (steps done, steps) of progress events."""

    def show(event: Mapping[str, Any]) -> None:
        if event["type"] == "progress":
            on_progress(int(event["done"]), int(event["total"]))

    return show


def run_worker(
    module: str,
    argument: Path,
    *,
    log: Path,
    on_event: Callable[[Mapping[str, Any]], None],
    nice: int = LOWEST_PRIORITY,
    environment: Mapping[str, str] | None = None,
    launcher: Sequence[str] = (),
) -> dict[str, Any]:
    """Run `python -m module argument` to its end and return its result.

    `launcher` is a module with its options that starts `module`, once or several times; all of them end with this
    process, and the first error of any is raised.

    Raises the child's own BonsaiError, WorkerDied when a signal ended it, TerminalError for any other failure.
    """
    result: dict[str, Any] | None = None
    with start_child((*launcher, module, str(argument)), log, nice, environment or {}) as child:
        assert child.stdout is not None
        for event in read_events(child.stdout):
            if event["type"] == "error":
                raise to_error(event)
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
def start_child(
    command: Sequence[str], log: Path, nice: int, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A child process that does not outlive the block."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stderr:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", *command],  # -P: do not import from the current folder
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
            env={**_PASSIVE_WAIT, **os.environ, **python_path(os.environ), **environment},
        )
    with suppress(ProcessLookupError, PermissionError):
        os.setpriority(os.PRIO_PROCESS, child.pid, nice)
    try:
        yield child
    finally:
        _stop(child)


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Close the pipes, which asks the child to end; kill it after a timeout."""
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
    """The child's events until it closes its output."""
    for line in stdout:
        try:
            event = json.loads(line)
        except ValueError:
            continue  # a line cut short by a kill
        if isinstance(event, dict) and "type" in event:
            yield event


def to_error(event: Mapping[str, Any]) -> BonsaiError:
    """The child's error, to raise in the parent."""
    kind = getattr(errors, str(event["kind"]), TerminalError)
    if not (isinstance(kind, type) and issubclass(kind, BonsaiError)):
        kind = TerminalError
    return kind(str(event["key"]), **event["values"])


def serve(work: Work) -> int:
    """A worker's `main`: run `work` on the file in the first argument; returns the exit code."""
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
    """An error as an event, for `to_error`."""
    values = {name: value if isinstance(value, int | float) else str(value) for name, value in error.values.items()}
    return {"type": "error", "kind": type(error).__name__, "key": error.key, "values": values}


def make_emitter() -> Emit:
    """Reserve the standard output for events; from here on, what libraries print goes to the log."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)

    def emit(event: Mapping[str, Any]) -> None:
        channel.write(json.dumps(event, ensure_ascii=False) + "\n")

    return emit


def _end_with_parent() -> None:
    """End this process when its standard input, a pipe from the parent, closes."""
    if not stat.S_ISFIFO(os.fstat(0).st_mode):
        return  # started by hand in a terminal

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os._exit(128 + signal.SIGHUP)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


Handle = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Answers one request; its BonsaiErrors are raised in the parent, and the worker stays."""

_CLOSE_SECONDS = 5.0


class ResidentWorker:
    """One child process that answers requests of one caller at a time."""

    def __init__(self, module: str, *, log: Path, nice: int = 0) -> None:
        self._module, self._log = module, log
        self._stack = ExitStack()
        self._child = self._stack.enter_context(start_child((module,), log, nice, {}))
        self._events: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        threading.Thread(target=self._listen, name=f"{module} {self._child.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    def request(self, request: Mapping[str, Any], timeout_seconds: float) -> dict[str, Any]:
        """The child's answer.

        Raises the child's own BonsaiError; WorkerDied when it ended; TransientError after the timeout, which kills it.
        After the last two only `close` may be called.
        """
        until = time.monotonic() + timeout_seconds
        assert self._child.stdin is not None
        with suppress(BrokenPipeError):  # it is dead, which the next event reports
            self._child.stdin.write(json.dumps(request, ensure_ascii=True).encode() + b"\n")
            self._child.stdin.flush()
        try:
            event = self._events.get(timeout=max(until - time.monotonic(), 0))
        except Empty:
            self.kill()
            raise TransientError("processes.too_slow", module=self._module, seconds=f"{timeout_seconds:g}") from None
        if event is None:
            raise self._death()
        if event["type"] == "error":
            raise to_error(event)
        return dict(event["result"])

    def close(self) -> None:
        """End the child. Safe to repeat."""
        assert self._child.stdin is not None
        with suppress(BrokenPipeError):  # the buffer holds what a dead child did not read
            self._child.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(_CLOSE_SECONDS)
        self.kill()  # before its output is closed: that waits for the thread that reads it
        self._stack.close()

    def _listen(self) -> None:
        assert self._child.stdout is not None
        for event in read_events(self._child.stdout):
            self._events.put(event)
        self._events.put(None)

    def _death(self) -> WorkerDied:
        code = self._child.wait()
        if code < 0:
            return WorkerDied("processes.killed", module=self._module, signal=signal.Signals(-code).name, log=self._log)
        return WorkerDied("processes.broken", module=self._module, code=code, log=self._log)

    def kill(self) -> None:
        """Kill the child; then only `close` may be called. A pending request raises WorkerDied. Safe to repeat."""
        if self._child.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()


def serve_requests(handle: Handle) -> int:
    """A resident worker's `main`: answer requests; exits at once when its standard input closes."""
    emit = make_emitter()
    requests: SimpleQueue[dict[str, Any]] = SimpleQueue()

    def listen() -> None:
        partial = b""
        while chunk := os.read(0, 1 << 16):  # not sys.stdin: its lock, held here, would abort a failing child
            *lines, partial = (partial + chunk).split(b"\n")
            for line in lines:
                requests.put(json.loads(line))
        os._exit(0)

    threading.Thread(target=listen, name="requests", daemon=True).start()
    while True:
        request = requests.get()
        try:
            result = handle(request)
        except BonsaiError as error:
            emit(error_event(error))
        else:
            emit({"type": "done", "result": result})


def python_path(environ: Mapping[str, str]) -> dict[str, str]:
    """`PYTHONPATH` for a child that shall import the same packages as this process.

    Empty for an installed package: its child finds `site-packages` by itself, and that folder must not go before the
    standard library.
    """
    given = environ.get("PYTHONPATH", "")
    if CODE in {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}:
        return {"PYTHONPATH": given} if given else {}
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(CODE), given)))}
