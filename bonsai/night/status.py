"""A night that can be watched and stopped: it writes its steps, times and progress into its folder.

    with watched(b, night, "train", report, clock) as tell: ...      in whatever process runs the step

The safe points of a night are the beginnings of its steps and every sign of life of its training and its benchmark:
there it looks for `cancel.json`. Once its verdict is being written it is no longer stopped. What stopped leaves its
checkpoints, so it goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from bonsai.context import Bonsai
from bonsai.errors import NightCancelled
from bonsai.schemas.nights import Cost, StepTime
from bonsai.system.locks import may_be_running, process_name
from bonsai.system.progress import Progress, Report
from storage import night_status
from storage.connect import Connection
from storage.night_status import NightStatus
from storage.tables import nights_table

Clock = Callable[[], datetime]
WRITE_EVERY = timedelta(seconds=1)
STOPPABLE = ("snapshot", "train", "benchmark")


@contextmanager
def watched(b: Bonsai, night: str, step: str, report: Report, clock: Clock) -> Iterator[Report]:
    """One step: what is told in the block reaches `report` and the night's status.

    Raises NightCancelled in the block, at the next sign of life after somebody asked for it.
    """
    run = b.places.runs / night
    if step in STOPPABLE:
        require_wanted(run, night)
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
            with suppress(OSError):  # a full disk stops what matters by itself
                night_status.write(run, status)
        if step in STOPPABLE:
            require_wanted(run, night)

    try:
        yield tell
    finally:
        if (night_status.read(run) or status).step == status.step:  # else its end is written already
            night_status.write(run, status.closed(clock()))


def require_wanted(run: Path, night: str) -> None:
    """Raises NightCancelled when a person asked for it."""
    wish = night_status.cancel_request(run)
    if wish:
        raise NightCancelled("pipeline.night_cancelled", night=night, who=wish.who)


def begin_status(b: Bonsai, con: Connection, night: str, now: datetime) -> None:
    """A night that was claimed by this process makes its snapshot; what an earlier attempt left open ended with it."""
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


def snapshot_made(b: Bonsai, night: str, at: datetime) -> None:
    """The step that `begin_night` opened ends."""
    run = b.places.runs / night
    status = night_status.read(run)
    if status and status.step:
        night_status.write(run, status.closed(at))


def told_by(b: Bonsai, night: str, now: datetime) -> dict[str, object]:
    """What a night that ends leaves in its row: its steps and what they cost. Empty for one that never ran here."""
    status = night_status.read(b.places.runs / night)
    if status is None:
        return {}
    steps = [one.model_dump(mode="json") for one in _settled(status, now).steps]
    return {"steps": steps, "cost": status.cost.model_dump()}


def end_status(b: Bonsai, night: str, ended: Literal["done", "failed", "cancelled"], now: datetime) -> None:
    """The night's row says how it ended, so its status may."""
    run = b.places.runs / night
    status = night_status.read(run)
    if status:
        night_status.write(run, replace(_settled(status, now), ended=ended))
    night_status.clear_cancel_request(run)


def _settled(status: NightStatus, now: datetime) -> NightStatus:
    """With no step open; a killed one ended at its last sign of life."""
    return status.closed(now if may_be_running(status.holder) else status.updated_at)


def reported_steps(report: Mapping[str, Any]) -> tuple[StepTime, ...]:
    """Steps in a night's report, as `told_by` left them there."""
    return tuple(StepTime.model_validate(one) for one in report.get("steps", ()))


def step_seconds(steps: Iterable[StepTime]) -> dict[str, float]:
    """Duration of each step, all attempts together."""
    found: dict[str, float] = {}
    for one in steps:
        if one.seconds is not None:
            found[one.name] = found.get(one.name, 0.0) + one.seconds
    return found
