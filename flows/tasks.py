"""The steps of a night as Prefect tasks, with their retries and their progress.

A callback cannot be a flow parameter (the server stores parameters), so the watcher is a context variable.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger

from bonsai import bootstrap
from bonsai.actions import inbox
from bonsai.config.layers import home_of
from bonsai.context import Bonsai
from bonsai.errors import BonsaiError, TransientError
from bonsai.night import status, steps
from bonsai.night.status import snapshot_made
from bonsai.system.progress import Progress, Report, silent

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
def reporting_start_and_end(step: str) -> Iterator[None]:
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


def may_pass(task: object, run: object, state: Any) -> bool:
    """Retry only transient errors: a busy lock or a killed worker, not an invalid input."""
    return isinstance(state.result(raise_on_failure=False), TransientError)


step: Callable[..., Any] = partial(
    task, retries=2, retry_delay_seconds=5, retry_condition_fn=may_pass, cache_policy=NO_CACHE, persist_result=False
)


def opened() -> Bonsai:
    """The home of this worker."""
    return bootstrap.open(home_of(os.environ), os.environ)


def now() -> datetime:
    """The clock of the flows."""
    return datetime.now(UTC)


@step
def drain_inbox() -> int:
    """Store the inbox's submissions; returns the number of new records."""
    return inbox.drain_inbox(opened(), now(), reporting()).counts.new


@step
def begin_night(cold: bool) -> tuple[str, str]:
    """(night, status)."""
    with reporting_start_and_end("snapshot"):
        b = opened()
        begun = steps.begin_night(b, now(), cold=cold, report=reporting(), clock=now)
        snapshot_made(b, begun.night, now())
    return begun.night, begun.status


def _task(one: steps.Step) -> Callable[[str], str | None]:
    """The task of a step. One without a count reports its beginning and its end."""

    def run(night: str) -> str | None:
        b = opened()
        if one.place == "accelerator":
            return steps.run_step(b, night, one, reporting(), now)
        with reporting_start_and_end(one.name):
            return steps.run_step(b, night, one, silent, now)

    return cast("Callable[[str], str | None]", step(run, name=one.name))


TASKS = {one.name: _task(one) for one in steps.SEQUENCE}
"By the step's name."


def run_at(place: steps.Place, night: str) -> dict[str, str]:
    """Run the tasks of one place; results by name: the challenger's id of `train`, the verdict of `decide` ..."""
    return {one.name: str(TASKS[one.name](night)) for one in steps.steps_at(place)}


@step
def fail_night(night: str, error: BonsaiError) -> None:
    """Mark the night as failed, with the reason, so that the next start resumes it."""
    status.fail_night(opened(), night, error, now())
