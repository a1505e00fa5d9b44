"""Whether some process holds one of the home's locks. A killed holder's lock is free: the kernel sees to that."""

from __future__ import annotations

from pathlib import Path

from bonsai.errors import LockTimeout
from storage.locks import held


def is_held(path: Path) -> bool:
    """Looks by trying; a lock file that is not there is held by nobody."""
    if not path.exists():
        return False
    try:
        with held(path, exclusive=True, wait_seconds=0):
            return False
    except LockTimeout:
        return True
