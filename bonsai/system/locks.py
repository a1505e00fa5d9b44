"""One file lock for everything that only one process may do at a time: `flock` with a bounded wait.

Who wants the lock first takes a second one, the turn, and gives it back when the lock is its own. So a writer
that waits keeps new readers from overtaking it; without that, four readers in a loop keep a writer out for good.
The kernel releases the lock with its process, so a `kill -9` leaves nothing behind that would have to be
cleaned up. The holder writes its process id into the file, only to be named in the other's error.
Never lock a DuckDB file itself: DuckDB's own lock is lost when the process closes the file by other means.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bonsai.errors import LockTimeout

SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.002, 0.05
PAUSE_SHARE = 0.1
"Of the time waited so far: who waits learns at most so much too late that the lock is free."


@contextmanager
def held(
    path: Path, *, exclusive: bool, wait_seconds: float, while_waiting: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Hold the lock file `path` during the block, alone or together with other sharers.

    Calls `while_waiting` until then, after a while some twenty times a second; what it raises ends the wait. Raises
    LockTimeout after `wait_seconds`. Not reentrant: a second `held` in the same block waits for the first.
    """
    descriptor = _open(path)
    try:
        if not _take(descriptor, path, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH, wait_seconds, while_waiting):
            raise _timeout(descriptor, path, wait_seconds)
        os.ftruncate(descriptor, 0)  # also wipes the name of a holder that was killed
        if exclusive:
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        try:
            yield
        finally:
            if exclusive:
                os.ftruncate(descriptor, 0)
            # Not by close alone: a forked child may still have the descriptor, and with it the lock.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def is_wanted(path: Path) -> bool:
    """Whether somebody waits for the lock. For who holds it and could let go."""
    turn = _open(_ticket_of(path))
    try:
        fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(turn)
    return False


def _ticket_of(path: Path) -> Path:
    return path.with_name(path.name + ".turn")


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _take(descriptor: int, path: Path, kind: int, wait_seconds: float, while_waiting: Callable[[], None]) -> bool:
    """Wait for the turn, then for the lock; False when the time is over."""
    until = time.monotonic() + wait_seconds
    turn = _open(_ticket_of(path))
    try:
        return _wait(turn, fcntl.LOCK_EX, until, while_waiting) and _wait(descriptor, kind, until, while_waiting)
    finally:
        fcntl.flock(turn, fcntl.LOCK_UN)
        os.close(turn)


def _wait(descriptor: int, kind: int, until: float, while_waiting: Callable[[], None]) -> bool:
    """Try until the lock is ours, or until that time. A blocking `flock` cannot be bounded without signals."""
    began = time.monotonic()
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
        while_waiting()
        waited = time.monotonic() - began
        time.sleep(min(max(PAUSE_SHARE * waited, SHORTEST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS))


def _timeout(descriptor: int, path: Path, wait_seconds: float) -> LockTimeout:
    pid = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
    if pid:
        return LockTimeout("storage.locked_by", path=path, seconds=f"{wait_seconds:g}", pid=pid)
    return LockTimeout("storage.locked", path=path, seconds=f"{wait_seconds:g}")


def process_name(pid: int = 0) -> str:
    """A process of this machine, or this one, as `host:pid:start`: told apart from a later one that got the same id."""
    return f"{socket.gethostname()}:{pid or os.getpid()}:{_start_of(pid or os.getpid())}"


def may_be_running(name: str) -> bool:
    """Whether the process of that `process_name` may still run; one on another host is given the benefit."""
    host, pid, start = name.rsplit(":", 2)
    if host != socket.gethostname():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return _start_of(int(pid)) == start


def _start_of(pid: int) -> str:
    """Start time in clock ticks since boot on Linux; empty elsewhere. A zombie counts as gone."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "gone" if after_name[0] in "ZX" else after_name[19]


def is_held(path: Path) -> bool:
    """Looks by trying; a lock file that is not there is held by nobody."""
    if not path.exists():
        return False
    try:
        with held(path, exclusive=True, wait_seconds=0):
            return False
    except LockTimeout:
        return True
