"""Progress of a flow: to this process's watcher, else to the run's log.

A callback cannot be a flow parameter (the server stores parameters), so the watcher is a context variable.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from prefect.logging import get_run_logger

from bonsai.system.progress import Progress, Report

LOG_SECONDS = 10.0
"A training reports many times a second; one log line every ten seconds is enough of a heartbeat."

_watcher: ContextVar[Report | None] = ContextVar("bonsai_progress", default=None)


@contextmanager
def watched_by(report: Report) -> Iterator[None]:
    """Flows in the block report to `report` instead of their log."""
    token = _watcher.set(report)
    try:
        yield
    finally:
        _watcher.reset(token)


def reporting() -> Report:
    """The current flow's progress callback."""
    return _watcher.get() or _logging()


@contextmanager
def told(step: str) -> Iterator[None]:
    """Report the beginning and the end of a step without a count."""
    report = reporting()
    report(Progress(step, 0, 1))
    yield
    report(Progress(step, 1, 1))


def _logging() -> Report:
    logger = get_run_logger()
    last: dict[str, float] = {}

    def report(progress: Progress) -> None:
        now = time.monotonic()
        if progress.done < progress.total and now - last.get(progress.step, -LOG_SECONDS) < LOG_SECONDS:
            return
        last[progress.step] = now
        loss = "" if progress.loss is None else f", loss {progress.loss:.3f}"
        logger.info("%s %d/%d%s", progress.step, progress.done, progress.total, loss)

    return report
