"""The steps of `bonsai.night.steps` as Prefect tasks: what may pass by itself is tried again, all else fails at once.

Only ids go in and come out, because parameters, results and logs are kept by the server. The home is the
worker's own, `BONSAI_HOME`. Every step may be run again: a retry, or a night that was killed, changes nothing twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from bonsai import bootstrap
from bonsai.actions import inbox
from bonsai.config.layers import home_of
from bonsai.context import Bonsai
from bonsai.errors import BonsaiError, TransientError
from bonsai.night import cancel, steps
from bonsai.night.status import snapshot_made, watched
from bonsai.system.progress import silent
from flows.progress import reporting, told


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
    with told("snapshot"):
        b = opened()
        begun = steps.begin_night(b, now(), cold=cold)
        snapshot_made(b, begun.night, now())
    return begun.night, begun.status


@step
def train(night: str) -> str:
    """The challenger's id. Reads and writes `runs/<night>` alone, never the database."""
    b = opened()
    with watched(b, night, "train", reporting(), now) as report:
        return steps.train_night(b, night, report)


@step
def benchmark(night: str) -> None:
    """The reports of challenger and champion, into `runs/<night>`."""
    b = opened()
    with watched(b, night, "benchmark", reporting(), now) as report:
        steps.benchmark_night(b, night, report)


@step
def decide(night: str) -> str:
    """The verdict."""
    b = opened()
    with told("decide"), watched(b, night, "decide", silent, now):
        return steps.decide_night(b, night, now())


@step
def promote(night: str) -> str:
    """`promoted`, `waiting` or `kept`."""
    b = opened()
    with told("promote"), watched(b, night, "promote", silent, now):
        return steps.promote_night(b, night, now())


@step
def fail_night(night: str, error: BonsaiError) -> None:
    """Mark the night as failed, with the reason, so that the next start resumes it."""
    cancel.fail_night(opened(), night, error, now())
