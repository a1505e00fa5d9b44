"""The steps of `bonsai.night.steps` as Prefect tasks: what may pass by itself is tried again, all else fails at once.

Only ids go in and come out, because parameters, results and logs are kept by the server. The home is the
worker's own, `BONSAI_HOME`. Every step may be run again: a retry, or a night that was killed, changes nothing twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

from prefect import task
from prefect.cache_policies import NO_CACHE

from bonsai import bootstrap
from bonsai.actions import inbox
from bonsai.config.layers import home_of
from bonsai.context import Bonsai
from bonsai.errors import BonsaiError, TransientError
from bonsai.night import cancel, steps
from bonsai.night.status import snapshot_made
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


def _task(one: steps.Step) -> Callable[[str], str | None]:
    """The task of a step. What counts nothing itself tells its beginning and its end."""

    def run(night: str) -> str | None:
        b = opened()
        if one.place == "accelerator":
            return steps.run_step(b, night, one, reporting(), now)
        with told(one.name):
            return steps.run_step(b, night, one, silent, now)

    return cast("Callable[[str], str | None]", step(run, name=one.name))


TASKS = {one.name: _task(one) for one in steps.SEQUENCE}
"By the step's name."


def run_at(place: steps.Place, night: str) -> dict[str, str]:
    """What the tasks of one place give, in their order: the challenger's id of `train`, the verdict of `decide` ..."""
    return {one.name: str(TASKS[one.name](night)) for one in steps.steps_at(place)}


@step
def fail_night(night: str, error: BonsaiError) -> None:
    """Mark the night as failed, with the reason, so that the next start resumes it."""
    cancel.fail_night(opened(), night, error, now())
