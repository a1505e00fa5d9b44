"""The train flow, on the GPU pool: training and evaluation of one night.

It gets a night's id, reads job and snapshot from `runs/<night>`, writes an adapter and reports there, and never opens
the database.
"""

from __future__ import annotations

from prefect import flow

from flows import tasks


@flow(name="train")
def train(night: str) -> str:
    """The challenger's id. Taken up again, it goes on from the last checkpoint and keeps finished reports."""
    return tasks.run_at("accelerator", night)["train"]
