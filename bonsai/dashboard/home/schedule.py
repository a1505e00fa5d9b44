"""When the next night comes, by the schedule in `prefect.yaml`; whether anybody would run it.

cronsim (BSD) reads the schedule; Prefect brings it along and reads it with the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from cronsim import CronSim

from flows.locks import is_held
from flows.settings import CODE

NIGHT = "flows.nightly_flow.nightly"


@dataclass(frozen=True, slots=True)
class NextNight:
    """The next time that the schedule names."""

    at: datetime | None
    "None without a schedule."
    up: bool
    "Whether `bonsai up` runs: nobody else starts a scheduled night."


def next_night(home: Path, now: datetime, file: Path = CODE / "prefect.yaml") -> NextNight:
    """By the file that `bonsai up` deploys."""
    times = [at for schedule in _schedules(file) if (at := _next(schedule, now)) is not None]
    return NextNight(min(times, default=None), is_held(home / "prefect" / "up.lock"))


def _schedules(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        return []
    deployments = yaml.safe_load(file.read_text("utf-8")).get("deployments", [])
    return [
        s for d in deployments if d.get("entrypoint", "").replace(":", ".") == NIGHT for s in d.get("schedules") or []
    ]


def _next(schedule: dict[str, Any], now: datetime) -> datetime | None:
    if "cron" not in schedule or schedule.get("active") is False:
        return None
    return next(CronSim(schedule["cron"], now.astimezone(ZoneInfo(schedule.get("timezone", "UTC")))), None)
