"""The lock of an accelerator: one training at a time, and no model answers beside it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bonsai.errors import LockTimeout
from bonsai.model.bases import Device, find_device
from bonsai.system.locks import file_lock, has_waiters

WAIT_SECONDS = 6 * 3600.0
ASKING_WAIT_SECONDS = 0.2
"Longer than a check for waiters holds the lock; a training holds it for hours."


@contextmanager
def alone_on_device(
    home: Path, device: str, processes: int, while_waiting: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Hold the GPUs of so many processes, or the CPU, during the block. `device`: `cpu` or `cuda`.

    Raises LockTimeout after six hours, and before that what `while_waiting` raises.
    """
    found = find_device() if device == "cuda" else Device("cpu", 0.0)
    with ExitStack() as stack:
        for path in lock_files(home, found, processes):
            stack.enter_context(file_lock(path, exclusive=True, wait_seconds=WAIT_SECONDS, while_waiting=while_waiting))
        yield


@contextmanager
def beside_no_training(home: Path, device: str) -> Iterator[Callable[[], bool]]:
    """Keep trainings from a GPU while a model answers there (a `DeviceLock`); other models may answer too.

    A CPU has room for both. Yields a function that says whether a training waits. Raises LockTimeout while one runs.
    """
    paths = lock_files(home, find_device(), 1) if device == "cuda" else ()
    with ExitStack() as stack:
        try:
            for path in paths:
                stack.enter_context(file_lock(path, exclusive=False, wait_seconds=ASKING_WAIT_SECONDS))
        except LockTimeout:
            raise LockTimeout("asking.training_runs") from None
        yield lambda: any(has_waiters(path) for path in paths)


def lock_files(home: Path, device: Device, processes: int) -> tuple[Path, ...]:
    """Lock files in a fixed order: a GPU is locked for all homes of this user, a CPU for each home alone."""
    folder = Path(tempfile.gettempdir())
    gpus = sorted(device.gpus[:processes])
    return tuple(folder / f"bonsai-{os.getuid()}-{gpu}.lock" for gpu in gpus) or (home / "gpu.lock",)
