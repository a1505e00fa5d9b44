"""What needs the accelerator: training and the benchmark of one night.

Runs on the GPU pool. It gets a night's id, finds its job and snapshot in `runs/<night>`, leaves an adapter
and reports there, and never sees the database.
"""

from __future__ import annotations

from prefect import flow

from flows import steps


@flow(name="train")
def train(night: str) -> str:
    """The challenger's id. Taken up again, it goes on from the last checkpoint and keeps finished reports."""
    adapter = str(steps.train(night))
    steps.benchmark(night)
    return adapter
