"""Where a flow's progress goes: to whoever watches this process, else to the run's log.

A callback is no flow parameter (parameters are stored by the server), so the watcher is set around the call.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from prefect.logging import get_run_logger

from bonsai.system.progress import Progress, Report

LOG_SECONDS = 10.0
"A training reports many times a second; a log line every ten seconds is enough to see that it lives."

_watcher: ContextVar[Report | None] = ContextVar("bonsai_progress", default=None)


@contextmanager
def watched_by(report: Report) -> Iterator[None]:
    """Flows called inside tell `report` instead of their log."""
    token = _watcher.set(report)
    try:
        yield
    finally:
        _watcher.reset(token)


def reporting() -> Report:
    """What the current flow gives to a long step."""
    return _watcher.get() or _logging()


@contextmanager
def told(step: str) -> Iterator[None]:
    """Tell the beginning and the end of a step that has nothing to count."""
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
