"""`bonsai night`: run a night, watch it, and read past ones."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from bonsai.cli import progress
from bonsai.cli.help import noun, verb
from bonsai.cli.presenters.nights import start_text, status_text, tell, tell_detail, verdict_text
from bonsai.cli.presenters.records import short
from bonsai.cli.shell import AsJson, By, Shell, one_of, shell_of
from bonsai.config.layers import SETTINGS_FILE
from bonsai.errors import UsageError
from bonsai.i18n import duration
from bonsai.system.progress import Progress, Report

if TYPE_CHECKING:
    from bonsai.context import Bonsai
    from bonsai.queries.nights import NightProgress


app = noun()
Key = Annotated[str, typer.Argument(help="cli.arg_night", metavar="NIGHT")]
AnyKey = Annotated[str, typer.Argument(help="cli.arg_night_or_running", metavar="NIGHT")]


@verb(app, "cli.night_run")
def run(
    ctx: typer.Context,
    cold: Annotated[bool, typer.Option("--cold", help="cli.opt_cold")] = False,
    detached: Annotated[bool, typer.Option("--detached", help="cli.opt_detached")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the nightly flow now; a second run on the same records does nothing."""
    shell = shell_of(ctx)
    if detached:
        from flows.starting import start_night

        started = start_night(shell.open().home, shell.environ, cold=cold, who=shell.person(""), now=shell.now())
        shell.say("nights.started_by_process" if started.process else "nights.started_by_server")
        return
    from flows import here

    if not (shell.home / SETTINGS_FILE).is_file():
        shell.open()  # raises a clear error; everything else is loaded while the server starts
    with progress.shown(shell, quiet=as_json) as report:
        night = here.run_night(shell.home, shell.config().prefect, cold=cold, report=report)
    from bonsai.queries.nights import night_detail
    from bonsai.serializers import nights as serializers

    found = night_detail(shell.open(), night)
    if as_json:
        shell.json(serializers.night_detail(found, shell.language))
    else:
        tell(shell, found.report)
    raise typer.Exit(1 if found.report.status == "failed" else 0)


@verb(app, "cli.night_list", name="list")
def list_(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", help="cli.opt_limit", min=0, show_default=False)] = 0,
    as_json: AsJson = False,
) -> None:
    """Newest first."""
    from bonsai.queries.nights import list_nights
    from bonsai.serializers.nights import night

    shell = shell_of(ctx)
    bonsai = shell.open()
    found = list_nights(bonsai, limit or (None if as_json else bonsai.config.cli.list_limit))
    if as_json:
        shell.json_lines(night(one, shell.language) for one in found)
        return
    rows = (
        (
            n.night,
            start_text(shell, n),
            verdict_text(shell, n) or status_text(shell, n),
            short(n.challenger),
            short(n.champion),
        )
        for n in found
    )
    shell.table(("night", "start", "result", "challenger", "champion"), rows)


@verb(app, "cli.night_show")
def show(ctx: typer.Context, night: Key, as_json: AsJson = False) -> None:
    """One night: verdict, reasons, accuracy before and after, steps and cost."""
    from bonsai.queries import nights
    from bonsai.serializers.nights import night_detail

    shell = shell_of(ctx)
    found = nights.night_detail(shell.open(), night)
    if as_json:
        shell.json(night_detail(found, shell.language))
        return
    tell(shell, found.report)
    tell_detail(shell, found)


@verb(app, "cli.night_watch")
def watch(ctx: typer.Context, night: AnyKey = "", as_json: AsJson = False) -> None:
    """Progress of the running night, until it ends."""
    from bonsai.queries.nights import show_night

    shell = shell_of(ctx)
    bonsai = shell.open()
    ended = follow(shell, bonsai, night, as_json)
    if as_json:
        return
    tell(shell, show_night(bonsai, ended))


@verb(app, "cli.night_cancel")
def cancel(ctx: typer.Context, night: AnyKey = "", by: By = "") -> None:
    """Request a stop at the next heartbeat; the next start resumes it."""
    from bonsai.night.status import cancel_night
    from bonsai.queries.nights import show_night

    shell = shell_of(ctx)
    bonsai = shell.open()
    key = show_night(bonsai, night).night if night else running(bonsai)
    done = cancel_night(bonsai, key, shell.person(by), shell.now())
    shell.say(f"nights.cancel_{done}", night=key)


@verb(app, "cli.night_logs")
def logs(
    ctx: typer.Context,
    night: Key,
    log: Annotated[str, typer.Option("--log", help="cli.opt_log")] = "training",
    lines: Annotated[int, typer.Option("--lines", help="cli.opt_lines")] = 100,
) -> None:
    """The last lines of a night's training or evaluation log."""
    from bonsai.queries import nights
    from bonsai.queries.nights import show_night

    shell = shell_of(ctx)
    bonsai = shell.open()
    path = nights.log_file(bonsai, show_night(bonsai, night).night, one_of(log, nights.LOGS, "--log"))
    for line in nights.tail(path, max(lines, 1)):
        shell.line(line)


LOOK_SECONDS = 1.0


def running(b: Bonsai) -> str:
    """Id of the running night. Raises UsageError if there is none."""
    from bonsai.queries import nights

    found = nights.running_night(b)
    if found is None:
        raise UsageError("nights.none_runs")
    return found.status.night


def follow(shell: Shell, b: Bonsai, night: str, as_json: bool) -> str:
    """Show the progress of a night, or of the running one, until it ends; returns its id.

    Raises UsageError if no night runs, UnknownId for an unknown one.
    """
    from bonsai.queries import nights
    from bonsai.queries.nights import show_night

    key = show_night(b, night).night if night else running(b)
    with progress.shown(shell, quiet=as_json) as report:
        last_shown = ""
        while True:
            found = nights.night_progress(b, key)
            last_shown = _tell(shell, found, report, last_shown, as_json)
            if found.state not in ("running", "cancelling"):
                return key
            time.sleep(LOOK_SECONDS)


def _tell(shell: Shell, found: NightProgress, report: Report, last_shown: str, as_json: bool) -> str:
    """Show the progress once: a bar on a terminal, else a line per step. Returns what was shown last."""
    status = found.status
    if as_json:
        from bonsai.serializers.nights import progress as progress_of

        if status.updated_at.isoformat() + found.state != last_shown:
            shell.json_lines([progress_of(found)])
            shell.out.flush()
        return status.updated_at.isoformat() + found.state
    step = status.step
    if step is None:
        return last_shown
    if shell.err.isatty():
        loss = status.losses[-1][1] if status.losses and step.name == "train" else None
        report(Progress(step.name, status.done, status.total, loss))
    elif step.name != last_shown:
        left = duration(found.seconds_left, shell.language) if found.seconds_left else "?"
        shell.say("nights.watched", step=shell.text(f"cli.step_{step.name}"), left=left)
        shell.out.flush()
    return step.name
