"""`runs/<night>/status.json`: how far a night is, for any process to read without the database.

One small file, replaced whole, so that a reader never sees half of it; the steps with their times stay in it when a
night is taken up again. A file that says "running" proves nothing, for its night may have been killed: `is_running`
asks after the process that it names. Beside it lies `cancel.json` while a person wants the night to stop.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from bonsai.system.files import write_json_atomic
from bonsai.system.locks import may_be_running
from bonsai.system.progress import Progress

STATUS = "status.json"
CANCEL = "cancel.json"
KEY = re.compile(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{8}(-cold)?")
"A night's key, which is also its folder's name."
MOST_LOSSES = 200
"Points of the curve that are kept; beyond it every second one goes."
MOST_STEPS = 40
"Of all attempts; the oldest go first."
MOST_LOOKED_AT = 60
"Nights among which the one that runs is: an unfinished one is taken up under its own key, days later perhaps."


@dataclass(frozen=True, slots=True)
class StepTime:
    """One step of one attempt."""

    name: str
    "`snapshot`, `train`, `benchmark`, `decide` or `promote`."
    started_at: datetime
    ended_at: datetime | None = None
    "None while it runs."

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a night has used so far, all its attempts together."""

    tokens: int = 0
    "That went through the training, padding aside."
    memory_bytes: int = 0
    "Most main memory that the training's process held."
    gpu_memory_bytes: int = 0
    "Most memory of one GPU; 0 on a CPU."
    gpus: int = 0
    "That the training uses; 0 on a CPU."


@dataclass(frozen=True, slots=True)
class NightStatus:
    """How far a night is."""

    night: str
    holder: str
    "`host:pid:start` of the process that runs it."
    updated_at: datetime
    "Its last sign of life."
    steps: tuple[StepTime, ...] = ()
    done: int = 0
    "Of `total`, in the current step."
    total: int = 0
    "0 when nobody knows yet."
    seconds_left: float | None = None
    "Of the current step, as it says itself."
    losses: tuple[tuple[int, float], ...] = ()
    "(training step, loss), thinned out."
    cost: Cost = Cost()
    tokens_before: int = 0
    "Of training processes that ended."
    usual_seconds: Mapping[str, float] = field(default_factory=dict)
    "What each step took in the last night that trained."
    ended: Literal["", "done", "failed", "cancelled"] = ""
    "Empty before that."

    @property
    def step(self) -> StepTime | None:
        """The step that runs now; None between two of them."""
        return self.steps[-1] if self.steps and self.steps[-1].ended_at is None else None

    def entered(self, name: str, at: datetime) -> NightStatus:
        """In a step that begins now."""
        steps = (*self.closed(at).steps, StepTime(name, at))[-MOST_STEPS:]
        return replace(self, steps=steps, done=0, total=0, seconds_left=None, updated_at=at, ended="")

    def closed(self, at: datetime) -> NightStatus:
        """With no step open."""
        steps = tuple(one if one.ended_at else replace(one, ended_at=at) for one in self.steps)
        return replace(self, steps=steps, updated_at=at)

    def told(self, progress: Progress, at: datetime) -> NightStatus:
        """After a sign of life of its current step."""
        made = replace(
            self, done=progress.done, total=progress.total, seconds_left=progress.seconds_left, updated_at=at
        )
        if progress.loss is not None:
            made = replace(made, losses=_with_point(self.losses, progress.done, progress.loss))
        used, cost = progress.used, self.cost
        if used is None:
            return made
        now = cost.tokens - self.tokens_before
        before = self.tokens_before + (now if used.tokens < now else 0)  # fewer than before: it is another process
        cost = Cost(
            tokens=before + used.tokens,
            memory_bytes=max(cost.memory_bytes, used.memory_bytes),
            gpu_memory_bytes=max(cost.gpu_memory_bytes, used.gpu_memory_bytes),
            gpus=max(cost.gpus, used.gpus),
        )
        return replace(made, cost=cost, tokens_before=before)


def _with_point(losses: Sequence[tuple[int, float]], step: int, loss: float) -> tuple[tuple[int, float], ...]:
    """A training that goes on from a checkpoint draws the steps after it anew."""
    kept = [one for one in losses if one[0] < step]
    if len(kept) >= MOST_LOSSES:
        kept = kept[::2]
    return (*kept, (step, loss))


def is_running(status: NightStatus) -> bool:
    """Whether the night goes on: it has not ended, and its process lives."""
    return not status.ended and may_be_running(status.holder)


def read(run: Path) -> NightStatus | None:
    """None for a night that never ran here; and for a file of another version, which only is no status."""
    try:
        told = json.loads((run / STATUS).read_text("utf-8"))
        return _from_json(told)
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def write(run: Path, status: NightStatus) -> None:
    """Put it where others find it."""
    told = {**asdict(status), "updated_at": status.updated_at.isoformat(), "steps": steps_to_json(status.steps)}
    write_json_atomic(run / STATUS, told)


def newest(runs: Path) -> NightStatus | None:
    """The status that was written last. Looked at are the newest keys: after years a look still takes a millisecond."""
    keys = sorted(filter(KEY.fullmatch, os.listdir(runs)), reverse=True)[:MOST_LOOKED_AT]
    found = [(path.stat().st_mtime_ns, path) for key in keys if (path := runs / key / STATUS).exists()]
    return read(max(found)[1].parent) if found else None


def steps_to_json(steps: Sequence[StepTime]) -> list[dict[str, str | None]]:
    """As JSON values, for the night's row too."""
    return [
        {
            "name": one.name,
            "started_at": one.started_at.isoformat(),
            "ended_at": one.ended_at.isoformat() if one.ended_at else None,
        }
        for one in steps
    ]


def steps_from_json(told: Sequence[Mapping[str, Any]]) -> tuple[StepTime, ...]:
    """Of `steps_to_json`."""
    return tuple(
        StepTime(
            str(one["name"]),
            datetime.fromisoformat(one["started_at"]),
            datetime.fromisoformat(one["ended_at"]) if one["ended_at"] else None,
        )
        for one in told
    )


def _from_json(told: Mapping[str, Any]) -> NightStatus:
    made = {
        "updated_at": datetime.fromisoformat(told["updated_at"]),
        "steps": steps_from_json(told["steps"]),
        "losses": tuple((int(step), float(loss)) for step, loss in told["losses"]),
        "cost": Cost(**told["cost"]),
    }
    return NightStatus(**{**told, **made})


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """A person wants the night to stop."""

    who: str
    at: datetime


def ask_to_cancel(run: Path, who: str, at: datetime) -> None:
    """The night sees it at its next sign of life."""
    write_json_atomic(run / CANCEL, {"who": who, "at": at.isoformat()})


def cancel_request(run: Path) -> CancelRequest | None:
    """What a person asked for and the night has not done yet."""
    try:
        told = json.loads((run / CANCEL).read_text("utf-8"))
    except FileNotFoundError:
        return None
    return CancelRequest(str(told["who"]), datetime.fromisoformat(told["at"]))


def forget_request(run: Path) -> None:
    """It was done, or the night begins anew."""
    (run / CANCEL).unlink(missing_ok=True)
