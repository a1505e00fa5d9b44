"""The nightly flow: ingest, begin, train on the GPU pool, decide, promote.

`begin_night` derives the night's key from date and data, which makes starting it idempotent: a second start, a late
schedule or a person's `bonsai night run` finds it done.
"""

from __future__ import annotations

import os
from typing import cast

from prefect import flow
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment

from bonsai.config.layers import home_of
from bonsai.errors import WorkerDied
from bonsai.night.steps import run_sequence
from bonsai.system.locks import file_lock
from flows import tasks
from flows.ingest_flow import ingest
from flows.promote_flow import promote
from flows.train_flow import train

TRAINING = "train/gpu"


@flow(name="nightly")
def nightly(cold: bool = False, here: bool = False) -> str:
    """The night's id. `here` trains in this process's own children instead of on the GPU pool.

    Raises what the training raised, after the night was marked as failed; the next start takes it up again.
    """
    # A second, for whoever looks whether it is held, and holds it to look.
    with file_lock(home_of(os.environ) / "night.lock", exclusive=True, wait_seconds=1):
        ingest()
        night, status = tasks.begin_night(cold)
        flows = {"accelerator": train if here else train_elsewhere, "database": promote}
        run_sequence(night, status, lambda place, night: flows[place](night), tasks.fail_night)
    return str(night)


def train_elsewhere(night: str) -> None:
    """Start the training deployment and wait for it. A failed child does not fail its parent: look at its state."""
    wait_seconds = tasks.opened().config.prefect.training_wait_seconds
    parameters = {"night": night}
    run = cast(FlowRun, run_deployment(TRAINING, parameters=parameters, timeout=wait_seconds, poll_interval=1))
    if run.state is None or not run.state.is_completed():
        state = run.state.name if run.state else "unknown"
        raise WorkerDied("flows.training_did_not_end", night=night, run=run.id, state=state)
