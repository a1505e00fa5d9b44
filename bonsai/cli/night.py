"""`bonsai night`: learn now, and read what the nights decided."""

from __future__ import annotations

from typing import Annotated

import typer

from bonsai.cli import night_watching, progress
from bonsai.cli.help import noun, verb
from bonsai.cli.night_shown import detail_object, night_object, start_text, status_text, tell, tell_detail, verdict_text
from bonsai.cli.records_shown import short
from bonsai.cli.shell import AsJson, By, one_of, shell_of
from bonsai.config_layers import SETTINGS_FILE

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
    """The nightly flow, here and now. A second start on the same records does nothing."""
    shell = shell_of(ctx)
    if detached:
        from flows.starting import start_night

        started = start_night(shell.open().home, shell.environ, cold=cold, who=shell.person(""), now=shell.now())
        shell.say("nights.started_by_process" if started.process else "nights.started_by_server")
        return
    from flows import here

    if not (shell.home / SETTINGS_FILE).is_file():
        shell.open()  # says what is wrong; the rest is loaded while the server starts
    with progress.shown(shell, quiet=as_json) as report:
        night = here.run_night(shell.home, shell.config().prefect, cold=cold, report=report)
    from bonsai import views

    found = views.show_night(shell.open(), night)
    tell(shell, found, as_json)
    raise typer.Exit(1 if found.status == "failed" else 0)


@verb(app, "cli.night_list", name="list")
def list_(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", help="cli.opt_limit", show_default=False)] = 0,
    as_json: AsJson = False,
) -> None:
    """Newest first."""
    from bonsai import views

    shell = shell_of(ctx)
    bonsai = shell.open()
    found = views.list_nights(bonsai, limit or (None if as_json else bonsai.config.cli.list_limit))
    if as_json:
        shell.json_lines(night_object(shell, night) for night in found)
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
    """One night: its verdict, the reasons in words and figures, accuracy before and after, steps and cost."""
    from bonsai import night_views

    shell = shell_of(ctx)
    found = night_views.night_detail(shell.open(), night)
    if as_json:
        shell.json({**night_object(shell, found.report), **detail_object(found)})
        return
    tell(shell, found.report, as_json)
    tell_detail(shell, found)


@verb(app, "cli.night_watch")
def watch(ctx: typer.Context, night: AnyKey = "", as_json: AsJson = False) -> None:
    """How far the running night is, until it ends."""
    from bonsai import views

    shell = shell_of(ctx)
    bonsai = shell.open()
    ended = night_watching.follow(shell, bonsai, night, as_json)
    if as_json:
        return
    tell(shell, views.show_night(bonsai, ended), as_json)


@verb(app, "cli.night_cancel")
def cancel(ctx: typer.Context, night: AnyKey = "", by: By = "") -> None:
    """It stops at its next sign of life; the next start takes it up again."""
    from bonsai import pipeline, views

    shell = shell_of(ctx)
    bonsai = shell.open()
    key = views.show_night(bonsai, night).night if night else night_watching.running(bonsai)
    done = pipeline.cancel_night(bonsai, key, shell.person(by), shell.now())
    shell.say(f"nights.cancel_{done}", night=key)


@verb(app, "cli.night_logs")
def logs(
    ctx: typer.Context,
    night: Key,
    log: Annotated[str, typer.Option("--log", help="cli.opt_log")] = "training",
    lines: Annotated[int, typer.Option("--lines", help="cli.opt_lines")] = 100,
) -> None:
    """The last lines of what its training, or its benchmark, wrote."""
    from bonsai import night_views, views

    shell = shell_of(ctx)
    bonsai = shell.open()
    path = night_views.log_file(bonsai, views.show_night(bonsai, night).night, one_of(log, night_views.LOGS, "--log"))
    for line in night_views.tail(path, max(lines, 1)):
        shell.line(line)
