"""A worker process that stays: it loads once what is slow to load, and answers one request after the other.

    worker = ResidentWorker("bonsai.serving.resident_worker", log=run / "ask.log", nice=0)
    result = worker.request({...}, timeout_seconds=120)
    worker.close()

Requests are lines of JSON on the child's standard input, answers are events on its standard output, one each. The child
ends when that input closes, so it outlives neither its parent nor `close`. Its module's `main` is
`return serve_requests(handle)`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from bonsai.errors import BonsaiError, TransientError, WorkerDied
from bonsai.processes import error_event, error_of, make_emitter, read_events, started

Handle = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""What a worker does with one request; its BonsaiErrors are raised in the parent, and the worker stays."""

_CLOSING_SECONDS = 5.0


class ResidentWorker:
    """One child process, for one caller at a time."""

    def __init__(self, module: str, *, log: Path, nice: int = 0) -> None:
        self._module, self._log = module, log
        self._stack = ExitStack()
        self._child = self._stack.enter_context(started((module,), log, nice, {}))
        self._said: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        threading.Thread(target=self._listen, name=f"{module} {self._child.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        """Of the child."""
        return self._child.pid

    def request(self, request: Mapping[str, Any], timeout_seconds: float) -> dict[str, Any]:
        """The child's answer.

        Raises the child's own BonsaiError; WorkerDied when it ended instead; TransientError when it took longer, and
        then it is ended. After the last two only `close` is left to do.
        """
        until = time.monotonic() + timeout_seconds
        assert self._child.stdin is not None
        with suppress(BrokenPipeError):  # it is dead: what it says next is that it says nothing more
            self._child.stdin.write(json.dumps(request, ensure_ascii=True).encode() + b"\n")
            self._child.stdin.flush()
        try:
            event = self._said.get(timeout=max(until - time.monotonic(), 0))
        except Empty:
            self.kill()
            raise TransientError("processes.too_slow", module=self._module, seconds=f"{timeout_seconds:g}") from None
        if event is None:
            raise self._death()
        if event["type"] == "error":
            raise error_of(event)
        return dict(event["result"])

    def close(self) -> None:
        """End the child. Safe to repeat."""
        assert self._child.stdin is not None
        with suppress(BrokenPipeError):  # what a dead child did not read is still in the buffer
            self._child.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(_CLOSING_SECONDS)
        self.kill()  # before its output is closed: that waits for the thread that reads it
        self._stack.close()

    def _listen(self) -> None:
        assert self._child.stdout is not None
        for event in read_events(self._child.stdout):
            self._said.put(event)
        self._said.put(None)

    def _death(self) -> WorkerDied:
        code = self._child.wait()
        if code < 0:
            return WorkerDied("processes.killed", module=self._module, signal=signal.Signals(-code).name, log=self._log)
        return WorkerDied("processes.broken", module=self._module, code=code, log=self._log)

    def kill(self) -> None:
        """At once; then only `close` is left to do. Who waits for an answer is told WorkerDied. Safe to repeat."""
        if self._child.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()


def serve_requests(handle: Handle) -> int:
    """A resident worker's `main`: answers until its standard input closes, whatever it is doing then."""
    emit = make_emitter()
    requests: SimpleQueue[dict[str, Any]] = SimpleQueue()

    def listen() -> None:
        begun = b""
        while said := os.read(0, 1 << 16):  # not sys.stdin: its lock, held here, would abort a child that breaks
            *lines, begun = (begun + said).split(b"\n")
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
