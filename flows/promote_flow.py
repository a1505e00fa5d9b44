"""The promote flow: the gate's verdict and the promotion."""

from __future__ import annotations

from prefect import flow

from flows import tasks


@flow(name="promote")
def promote(night: str) -> str:
    """`promoted`, `waiting` for a person, or `kept`. Safe to repeat: a verdict is reached once."""
    return tasks.run_at("database", night)["promote"]
