"""One accelerator, one training: whoever comes second waits, also when it works for another home."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bonsai.model.bases import Device, find_device
from bonsai.training.plan import TrainingPlan
from storage.locks import held

WAIT_SECONDS = 6 * 3600.0


@contextmanager
def alone_on_device(home: Path, plan: TrainingPlan) -> Iterator[None]:
    """Hold the devices of a plan during the block. Raises LockTimeout after six hours."""
    device = find_device() if plan.device == "cuda" else Device("cpu", 0.0)
    with ExitStack() as stack:
        for path in lock_files(home, device, plan.processes):
            stack.enter_context(held(path, exclusive=True, wait_seconds=WAIT_SECONDS))
        yield


def lock_files(home: Path, device: Device, processes: int) -> tuple[Path, ...]:
    """What to lock, always in the same order: a GPU for all homes of this person, a CPU for each home alone."""
    folder = Path(tempfile.gettempdir())
    gpus = sorted(device.gpus[:processes])
    return tuple(folder / f"bonsai-{os.getuid()}-{gpu}.lock" for gpu in gpus) or (home / "gpu.lock",)
