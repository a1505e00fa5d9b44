"""`ResidentClient`: a model that stays in memory between requests, in a process of its own, until it is idle.

For a server: only the first request waits for the loading. One request at a time; when the process dies, the request
is repeated once in a new one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bonsai.errors import TransientError, WorkerDied
from bonsai.inference.client import Completion, DeviceLock, InferenceRequest, ModelRef, completions_from, no_device_lock
from bonsai.model.bases import Base
from bonsai.system.json_values import to_values
from bonsai.system.processes import ResidentWorker

WORKER = "bonsai.inference.worker"
MAX_LOADED_MODELS = 5
"In the memory of one process, the bare base included; one more restarts it."
LOOK_SECONDS = 2.0
"Interval of the check whether the model is idle or a training waits for its device."


@dataclass(slots=True)
class _Loaded:
    """A running process and its models."""

    worker: ResidentWorker
    base: Base
    device: str
    device_is_wanted: Callable[[], bool]
    "Whether a training waits for the device."
    stack: ExitStack
    ended: threading.Event = field(default_factory=threading.Event)
    adapters: set[str] = field(default_factory=set)
    "Folders of the loaded adapters; empty for the bare base."
    used_at: float = field(default_factory=time.monotonic)

    def takes(self, model: ModelRef) -> bool:
        """Whether this process can answer for that model too."""
        same = (self.base, self.device) == (model.base, model.device)
        return same and len(self.adapters | {model.folder}) <= MAX_LOADED_MODELS


@dataclass(slots=True)
class ResidentClient:
    """An `InferenceClient`; its process starts with the first question. The worker's log is `ask.log` in `folder`."""

    folder: Path
    idle_seconds: float
    timeout_seconds: float
    "For one request, loading included."
    device_lock: DeviceLock = no_device_lock
    nice: int = 0
    worker: str = WORKER
    "The worker's module."
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _loaded: _Loaded | None = None
    _over: bool = False

    def complete(self, request: InferenceRequest) -> tuple[Completion, ...]:
        """One answer per question.

        Raises what the worker raised; WorkerDied when it died twice; TransientError after the timeout; LockTimeout
        while a training has the device.
        """
        with self._turn:
            try:
                return self._answer(request)
            except WorkerDied:
                if self._over:
                    raise
                return self._answer(request)

    @property
    def pid(self) -> int | None:
        """Id of the process that holds the model; None without one."""
        loaded = self._loaded
        return loaded.worker.pid if loaded else None

    def close(self) -> None:
        """Take the model out of memory. Safe to repeat; the next question loads it again."""
        with self._turn:
            self._unload()

    def end(self) -> None:
        """Close at once and for good: pending and later requests raise WorkerDied."""
        self._over = True
        if loaded := self._loaded:
            loaded.worker.kill()
        self.close()

    def _answer(self, request: InferenceRequest) -> tuple[Completion, ...]:
        if self._loaded and not self._loaded.takes(request.model):
            self._unload()
        loaded = self._loaded = self._loaded or self._load(request.model)
        loaded.adapters.add(request.model.folder)
        if self._over:
            loaded.worker.kill()
        try:
            return completions_from(loaded.worker.request(to_values(request), self.timeout_seconds))
        except TransientError:  # it died, or was killed after the timeout
            self._unload()
            raise
        finally:
            loaded.used_at = time.monotonic()

    def _load(self, model: ModelRef) -> _Loaded:
        with ExitStack() as stack:
            device_is_wanted = stack.enter_context(self.device_lock(model.device))
            worker = ResidentWorker(self.worker, log=self.folder / "ask.log", nice=self.nice)
            stack.callback(worker.close)
            loaded = _Loaded(worker, model.base, model.device, device_is_wanted, stack.pop_all())
        threading.Thread(target=self._watch, args=(loaded,), name="ask-idle", daemon=True).start()
        return loaded

    def _watch(self, loaded: _Loaded) -> None:
        """Unload the model when it is idle or a training waits for its device."""
        while not loaded.ended.wait(min(LOOK_SECONDS, self.idle_seconds)):
            with self._turn:
                idle = time.monotonic() - loaded.used_at >= self.idle_seconds
                if self._loaded is loaded and (idle or loaded.device_is_wanted()):
                    self._unload()

    def _unload(self) -> None:
        loaded, self._loaded = self._loaded, None
        if loaded:
            loaded.ended.set()
            loaded.stack.close()
