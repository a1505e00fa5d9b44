"""`bonsai night watch`: a running night's progress in the terminal, read from the file that the night writes."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from bonsai.cli import progress
from bonsai.cli.shell import Shell
from bonsai.errors import UsageError
from bonsai.progress import Progress, Report
from bonsai.texts import duration

if TYPE_CHECKING:
    from bonsai.night_views import Live
    from bonsai.pipeline.parts import Bonsai

LOOK_SECONDS = 1.0


def running(b: Bonsai) -> str:
    """Id of the night that runs. Raises UsageError when none does."""
    from bonsai import night_views

    found = night_views.running_night(b)
    if found is None:
        raise UsageError("nights.none_runs")
    return found.status.night


def follow(shell: Shell, b: Bonsai, night: str, as_json: bool) -> str:
    """Show the progress of a night, or of the running one, until it ends; its id. Raises UsageError, UnknownId."""
    from bonsai import night_views, views

    key = views.show_night(b, night).night if night else running(b)
    with progress.shown(shell, quiet=as_json) as report:
        told = ""
        while True:
            found = night_views.live(b, key)
            told = _tell(shell, found, report, told, as_json)
            if found.state not in ("running", "cancelling"):
                return key
            time.sleep(LOOK_SECONDS)


def _tell(shell: Shell, found: Live, report: Report, told: str, as_json: bool) -> str:
    """Show it once; where no bar can be drawn, a line for each step. Returns what was told last."""
    status = found.status
    if as_json:
        about = {"state": found.state, "seconds_left": found.seconds_left, **asdict(status)}
        if status.updated_at.isoformat() + found.state != told:
            shell.json_lines([about])
            shell.out.flush()
        return status.updated_at.isoformat() + found.state
    step = status.step
    if step is None:
        return told
    if shell.err.isatty():
        loss = status.losses[-1][1] if status.losses and step.name == "train" else None
        report(Progress(step.name, status.done, status.total, loss))
    elif step.name != told:
        left = duration(found.seconds_left, shell.language) if found.seconds_left else "?"
        shell.say("nights.watched", step=shell.text(f"cli.step_{step.name}"), left=left)
        shell.out.flush()
    return step.name
