"""`runs/<night>/status.json`: a night's progress, readable by any process without the database.

The file is replaced atomically; steps and times of earlier attempts stay in it when a night resumes. It does not
prove that the night still runs: `is_running` checks the process that it names. `cancel.json` beside it is a person's
request to cancel.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter

from bonsai.schemas.nights import Cost, StepTime
from bonsai.system.files import write_json_atomic
from bonsai.system.locks import may_be_running
from bonsai.system.progress import Progress

STATUS = "status.json"
CANCEL = "cancel.json"
KEY = re.compile(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{8}(-cold)?")
"A night's key and the name of its folder."
MAX_LOSSES = 200
"Points of the loss curve; beyond it every second one is dropped."
MAX_STEPS = 40
"Of all attempts; the oldest are dropped."
MAX_NIGHTS_SEARCHED = 60
"Newest nights among which `newest` looks: an unfinished night resumes under its own key, perhaps days later."


@dataclass(frozen=True, slots=True)
class NightStatus:
    """A night's progress."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    night: str
    holder: str
    "`host:pid:start` of the process that runs it."
    updated_at: datetime
    "The last heartbeat."
    steps: tuple[StepTime, ...] = ()
    done: int = 0
    "Of `total`, in the current step."
    total: int = 0
    "0 while unknown."
    seconds_left: float | None = None
    "The current step's own estimate."
    losses: tuple[tuple[int, float], ...] = ()
    "(training step, loss), downsampled."
    cost: Cost = field(default_factory=Cost)
    tokens_before: int = 0
    "Of training processes that have ended."
    usual_seconds: Mapping[str, float] = field(default_factory=dict)
    "Duration of each step in the last night that trained."
    ended: Literal["", "done", "failed", "cancelled"] = ""
    "Empty while the night goes on."

    @property
    def step(self) -> StepTime | None:
        """The running step; None between two steps."""
        return self.steps[-1] if self.steps and self.steps[-1].ended_at is None else None

    def entered(self, name: str, at: datetime) -> NightStatus:
        """The status when a step begins."""
        steps = (*self.closed(at).steps, StepTime(name=name, started_at=at))[-MAX_STEPS:]
        return replace(self, steps=steps, done=0, total=0, seconds_left=None, updated_at=at, ended="")

    def closed(self, at: datetime) -> NightStatus:
        """The status with the running step ended."""
        steps = tuple(one if one.ended_at else one.model_copy(update={"ended_at": at}) for one in self.steps)
        return replace(self, steps=steps, updated_at=at)

    def with_progress(self, progress: Progress, at: datetime) -> NightStatus:
        """The status after a heartbeat of the current step."""
        made = replace(
            self, done=progress.done, total=progress.total, seconds_left=progress.seconds_left, updated_at=at
        )
        if progress.loss is not None:
            made = replace(made, losses=_with_point(self.losses, progress.done, progress.loss))
        used, cost = progress.used, self.cost
        if used is None:
            return made
        now = cost.tokens - self.tokens_before
        before = self.tokens_before + (now if used.tokens < now else 0)  # fewer than before: a new process
        cost = Cost(
            tokens=before + used.tokens,
            memory_bytes=max(cost.memory_bytes, used.memory_bytes),
            gpu_memory_bytes=max(cost.gpu_memory_bytes, used.gpu_memory_bytes),
            gpus=max(cost.gpus, used.gpus),
        )
        return replace(made, cost=cost, tokens_before=before)


def _with_point(losses: Sequence[tuple[int, float]], step: int, loss: float) -> tuple[tuple[int, float], ...]:
    """Append a point; a training that resumes from a checkpoint replaces the points after it."""
    kept = [one for one in losses if one[0] < step]
    if len(kept) >= MAX_LOSSES:
        kept = kept[::2]
    return (*kept, (step, loss))


_STORED = TypeAdapter(NightStatus)
"As `status.json` holds it."


def is_running(status: NightStatus) -> bool:
    """Whether the night has not ended and its process lives."""
    return not status.ended and may_be_running(status.holder)


def read(run: Path) -> NightStatus | None:
    """A night's status; None for one that never ran here, and for a file of another version."""
    try:
        return _STORED.validate_json((run / STATUS).read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def write(run: Path, status: NightStatus) -> None:
    """Replace the status file."""
    write_json_atomic(run / STATUS, _STORED.dump_python(status, mode="json"))


def newest(runs: Path) -> NightStatus | None:
    """The status that was written last, among the newest keys: a millisecond even after years."""
    keys = sorted(filter(KEY.fullmatch, os.listdir(runs)), reverse=True)[:MAX_NIGHTS_SEARCHED]
    found = [(path.stat().st_mtime_ns, path) for key in keys if (path := runs / key / STATUS).exists()]
    return read(max(found)[1].parent) if found else None


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """A person's request to cancel the night."""

    who: str
    at: datetime


def request_cancel(run: Path, who: str, at: datetime) -> None:
    """Write the request; the night sees it at its next heartbeat."""
    write_json_atomic(run / CANCEL, {"who": who, "at": at.isoformat()})


def cancel_request(run: Path) -> CancelRequest | None:
    """The open request, if any."""
    try:
        content = json.loads((run / CANCEL).read_text("utf-8"))
    except FileNotFoundError:
        return None
    return CancelRequest(str(content["who"]), datetime.fromisoformat(content["at"]))


def clear_cancel_request(run: Path) -> None:
    """Remove the request: it was carried out, or the night starts again."""
    (run / CANCEL).unlink(missing_ok=True)
