"""Status and cancellation of a night: its steps, times and progress, in its folder.

    with watched(b, night, "train", report, clock) as tell: ...      in whatever process runs the step

A night looks for `cancel.json` when a step begins and at every heartbeat of training and evaluation. Once its verdict
is being written, it cannot be cancelled. A cancelled night keeps its checkpoints and can be resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from bonsai.context import Bonsai
from bonsai.errors import BonsaiError, NightCancelled, UsageError, WorkerDied
from bonsai.schemas.nights import Cost, StepTime
from bonsai.system.locks import may_be_running, process_name
from bonsai.system.progress import Progress, Report
from storage import night_status
from storage.connect import Connection
from storage.night_status import NightStatus
from storage.tables import nights_table, promotions_table
from storage.tables.nights_table import Night, Outcome

Clock = Callable[[], datetime]
WRITE_EVERY = timedelta(seconds=1)
STOPPABLE = ("snapshot", "replay", "train", "benchmark", "twin")


@contextmanager
def watched(b: Bonsai, night: str, step: str, report: Report, clock: Clock) -> Iterator[Report]:
    """One step: progress reported in the block reaches `report` and the night's status.

    Raises NightCancelled in the block, at the next heartbeat after somebody asked for it.
    """
    run = b.places.runs / night
    if step in STOPPABLE:
        require_not_cancelled(run, night)
    at = clock()
    status = (night_status.read(run) or NightStatus(night, process_name(), at)).entered(step, at)
    night_status.write(run, status)
    written = at

    def tell(progress: Progress) -> None:
        nonlocal status, written
        report(progress)
        now = clock()
        status = status.with_progress(progress, now)
        if now - written >= WRITE_EVERY:
            written = now
            with suppress(OSError):  # on a full disk, the writes that matter raise by themselves
                night_status.write(run, status)
        if step in STOPPABLE:
            require_not_cancelled(run, night)

    try:
        yield tell
    finally:
        if (night_status.read(run) or status).step == status.step:  # else its end is written already
            night_status.write(run, status.closed(clock()))


def require_not_cancelled(run: Path, night: str) -> None:
    """Raises NightCancelled if a person asked for it."""
    wish = night_status.cancel_request(run)
    if wish:
        raise NightCancelled("pipeline.night_cancelled", night=night, who=wish.who)


def begin_status(b: Bonsai, con: Connection, night: str, now: datetime) -> None:
    """Write that this process makes the snapshot of a claimed night; closes the open step of an earlier attempt."""
    run = b.places.runs / night
    night_status.clear_cancel_request(run)
    earlier = night_status.read(run)
    steps = earlier.closed(earlier.updated_at).steps if earlier else ()
    last = nights_table.latest_trained(con)
    made = NightStatus(
        night,
        process_name(),
        now,
        steps,
        losses=earlier.losses if earlier else (),
        cost=earlier.cost if earlier else Cost(),
        tokens_before=earlier.cost.tokens if earlier else 0,
        usual_seconds=step_seconds(reported_steps(last.outcome.report or {})) if last else {},
    )
    night_status.write(run, made.entered("snapshot", now))


def enter_step(b: Bonsai, night: str, step: str, at: datetime) -> None:
    """Write that a step begins, or goes on after another one."""
    run = b.places.runs / night
    status = night_status.read(run) or NightStatus(night, process_name(), at)
    night_status.write(run, status.entered(step, at))


def snapshot_made(b: Bonsai, night: str, at: datetime) -> None:
    """End the step that `begin_night` opened."""
    run = b.places.runs / night
    status = night_status.read(run)
    if status and status.step:
        night_status.write(run, status.closed(at))


def run_report(b: Bonsai, night: str, now: datetime) -> dict[str, object]:
    """Steps and cost of a night, for its row. Empty for one that never ran here."""
    status = night_status.read(b.places.runs / night)
    if status is None:
        return {}
    steps = [one.model_dump(mode="json") for one in _settled(status, now).steps]
    return {"steps": steps, "cost": status.cost.model_dump()}


def end_status(b: Bonsai, night: str, ended: Literal["done", "failed", "cancelled"], now: datetime) -> None:
    """Write how a night ended; its row in the database says so already."""
    run = b.places.runs / night
    status = night_status.read(run)
    if status:
        night_status.write(run, replace(_settled(status, now), ended=ended))
    night_status.clear_cancel_request(run)


def _settled(status: NightStatus, now: datetime) -> NightStatus:
    """With no step open; a killed one ended at its last heartbeat."""
    return status.closed(now if may_be_running(status.holder) else status.updated_at)


def reported_steps(report: Mapping[str, Any]) -> tuple[StepTime, ...]:
    """Steps in a night's report, as `run_report` left them there."""
    return tuple(StepTime.model_validate(one) for one in report.get("steps", ()))


def step_seconds(steps: Iterable[StepTime]) -> dict[str, float]:
    """Duration of each step, all attempts together."""
    found: dict[str, float] = {}
    for one in steps:
        if one.seconds is not None:
            found[one.name] = found.get(one.name, 0.0) + one.seconds
    return found


UNFINISHED = ("failed", "cancelled")
"A night that ended so is resumed by the next start on the same records."
Cancelled = Literal["asked", "cancelled"]


def fail_night(b: Bonsai, night: str, error: BonsaiError, now: datetime) -> None:
    """Record that the night failed, and why; the next start resumes it.

    One that somebody asked to cancel is `cancelled`, even if it was killed before it saw the request.
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
            report=run_report(b, night, now),
            chain_head=promotions_table.head(con),
        )
        nights_table.finish(con, night, outcome, now)
    end_status(b, night, ended, now)


def dead_nights(b: Bonsai, now: datetime) -> tuple[str, ...]:
    """Mark nights whose process is gone as failed, so that the next start resumes them; returns their keys."""
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
