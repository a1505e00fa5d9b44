"""The ingest flow: drains the inbox before every night and, on a server, every ten minutes."""

from __future__ import annotations

from prefect import flow

from flows import tasks


@flow(name="ingest")
def ingest() -> int:
    """Drain the inbox; returns the number of new records. Safe to repeat."""
    return int(tasks.drain_inbox())
