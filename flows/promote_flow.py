"""The gate's verdict, and what follows from it."""

from __future__ import annotations

from prefect import flow

from flows import steps


@flow(name="promote")
def promote(night: str) -> str:
    """`promoted`, `waiting` for a person, or `kept`. A night that was judged before is not judged again."""
    steps.decide(night)
    return str(steps.promote(night))
