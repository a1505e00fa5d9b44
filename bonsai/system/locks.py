"""File locks between processes: `flock` with a bounded wait, shared or exclusive.

A waiter first takes a second lock, the ticket, and releases it once it has the lock itself. So a waiting writer blocks
new readers; without the ticket four readers in a loop starve a writer. The kernel releases both with the process, so a
`kill -9` leaves nothing to clean up. The holder writes its process id into the file, for the waiter's error message.
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

MIN_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS = 0.002, 0.05
BACKOFF_SHARE = 0.1
"Backoff as a share of the time waited so far: the bound on the added delay."


@contextmanager
def file_lock(
    path: Path, *, exclusive: bool, wait_seconds: float, while_waiting: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Hold the lock file `path` during the block, exclusive or shared.

    Calls `while_waiting` between attempts, at least twenty times a second; what it raises ends the wait. Raises
    LockTimeout after `wait_seconds`. Not reentrant.
    """
    descriptor = _open(path)
    try:
        if not _acquire(descriptor, path, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH, wait_seconds, while_waiting):
            raise _timeout(descriptor, path, wait_seconds)
        os.ftruncate(descriptor, 0)  # also clears the id of a killed holder
        if exclusive:
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        try:
            yield
        finally:
            if exclusive:
                os.ftruncate(descriptor, 0)
            # Closing is not enough: a forked child may still have the descriptor, and with it the lock.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def has_waiters(path: Path) -> bool:
    """Whether another process waits for the lock, so that the holder can yield."""
    turn = _open(_ticket_path(path))
    try:
        fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(turn)
    return False


def _ticket_path(path: Path) -> Path:
    return path.with_name(path.name + ".turn")


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _acquire(descriptor: int, path: Path, kind: int, wait_seconds: float, while_waiting: Callable[[], None]) -> bool:
    """Wait for the ticket, then for the lock; False after the timeout."""
    until = time.monotonic() + wait_seconds
    turn = _open(_ticket_path(path))
    try:
        return _wait(turn, fcntl.LOCK_EX, until, while_waiting) and _wait(descriptor, kind, until, while_waiting)
    finally:
        fcntl.flock(turn, fcntl.LOCK_UN)
        os.close(turn)


def _wait(descriptor: int, kind: int, until: float, while_waiting: Callable[[], None]) -> bool:
    """Retry with backoff until the lock is acquired or `until`: a blocking `flock` has no timeout without signals."""
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
        time.sleep(min(max(BACKOFF_SHARE * waited, MIN_BACKOFF_SECONDS), MAX_BACKOFF_SECONDS))


def _timeout(descriptor: int, path: Path, wait_seconds: float) -> LockTimeout:
    pid = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
    if pid:
        return LockTimeout("storage.locked_by", path=path, seconds=f"{wait_seconds:g}", pid=pid)
    return LockTimeout("storage.locked", path=path, seconds=f"{wait_seconds:g}")


def process_name(pid: int = 0) -> str:
    """A process of this machine (0: this one) as `host:pid:start`; the start time detects a reused id."""
    return f"{socket.gethostname()}:{pid or os.getpid()}:{_start_of(pid or os.getpid())}"


def may_be_running(name: str) -> bool:
    """Whether the process named by `process_name` may still run; always true for another host."""
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
    """Start time in clock ticks since boot on Linux, empty elsewhere; `gone` for a zombie."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "gone" if after_name[0] in "ZX" else after_name[19]


def is_locked(path: Path) -> bool:
    """Whether any process holds the lock, found by trying; a missing lock file is free."""
    if not path.exists():
        return False
    try:
        with file_lock(path, exclusive=True, wait_seconds=0):
            return False
    except LockTimeout:
        return True
