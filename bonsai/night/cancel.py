"""Nights that do not come to their end: they fail, their process dies, or a person stops them.

A night is asked to stop by a file in its folder and stops at its next safe point (`bonsai.night.status`).
No signal is sent, because it may train on another machine that shares the folder. What it stopped at stays: the next
start on the same records goes on from there.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from bonsai.context import Bonsai
from bonsai.errors import BonsaiError, NightCancelled, UsageError, WorkerDied
from bonsai.night.status import end_status, told_by
from bonsai.system.locks import may_be_running
from storage import night_status
from storage.tables import nights_table, promotions_table
from storage.tables.nights_table import Night, Outcome

UNFINISHED = ("failed", "cancelled")
"A night that ended so is taken up again by the next start on the same records."
Cancelled = Literal["asked", "cancelled"]


def fail_night(b: Bonsai, night: str, error: BonsaiError, now: datetime) -> None:
    """Write down that the night did not end, and why; the next start takes it up again.

    One that somebody asked to stop is `cancelled`, also where it did not get to say so itself.
    """
    wish = night_status.cancel_request(b.places.runs / night)
    if wish and isinstance(error, WorkerDied):
        error = NightCancelled("pipeline.night_cancelled", night=night, who=wish.who)
    ended: Literal["failed", "cancelled"] = "cancelled" if isinstance(error, NightCancelled) else "failed"
    values = {name: one if isinstance(one, int | float) else str(one) for name, one in error.values.items()}
    with b.database.writing() as con:
        outcome = Outcome(
            ended,
            reasons=[{"key": error.key, "values": values}],
            champion=promotions_table.champion(con).adapter,
            report=told_by(b, night, now),
            chain_head=promotions_table.head(con),
        )
        nights_table.finish(con, night, outcome, now)
    end_status(b, night, ended, now)


def dead_nights(b: Bonsai, now: datetime) -> tuple[str, ...]:
    """Mark nights whose process is gone as failed, so that the next start takes them up; their keys."""
    with b.database.reading() as con:
        dead = tuple(one.key for one in nights_table.list_nights(con) if is_dead(one))
    for night in dead:
        fail_night(b, night, WorkerDied("pipeline.night_died"), now)
    return dead


def is_dead(night: Night) -> bool:
    """Whether a night is called running and its process is gone."""
    return night.outcome.status == "running" and not may_be_running(night.holder)


def cancel_night(b: Bonsai, night: str, who: str, now: datetime) -> Cancelled:
    """`asked`, or `cancelled` at once when the night's process is gone. Safe to repeat.

    Raises UsageError for a night that does not run, and for one whose verdict is written; UnknownId.
    """
    with b.database.reading() as con:
        found = nights_table.get(con, night)
        judged = any(one.night == night for one in promotions_table.list_promotions(con))
    if found.outcome.status != "running":
        raise UsageError("pipeline.night_not_running", night=night)
    if judged:
        raise UsageError("pipeline.night_judged", night=night)
    if not is_dead(found):
        night_status.request_cancel(b.places.runs / night, who, now)
        return "asked"
    fail_night(b, night, NightCancelled("pipeline.night_cancelled", night=night, who=who), now)
    return "cancelled"
