"""`bonsai up`: server, workers, schedule and dashboard, until Ctrl-C."""

from __future__ import annotations

import math
import signal
from contextlib import suppress
from typing import Annotated

import typer

from bonsai.cli.help import noun, verb
from bonsai.cli.shell import shell_of

app = noun()


@verb(app, "cli.up")
def up(
    ctx: typer.Context,
    dashboard: Annotated[bool, typer.Option("--dashboard/--no-dashboard", help="cli.opt_dashboard")] = True,
) -> None:
    """Start everything, print the addresses and wait; Ctrl-C or SIGTERM stops all of it."""
    from bonsai.night.status import dead_nights
    from flows import server, settings
    from flows.settings import auth_file

    shell = shell_of(ctx)
    bonsai = shell.open()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for night in dead_nights(bonsai, shell.now()):
        shell.say("cli.night_was_dead", night=night)
    shell.say("cli.starting", home=bonsai.home)
    shell.out.flush()
    port = bonsai.config.dashboard.port
    if dashboard and settings.listens(port):
        shell.say("cli.dashboard_left_out", port=port)
        dashboard = False
    also = {"dashboard": ("bonsai.cli.main", "dashboard", "--lang", shell.language)} if dashboard else {}
    with server.started(bonsai.home, bonsai.config.prefect, shell.environ, also) as running:
        for name in running.crashed:
            shell.say("cli.run_was_dead", run=name)
        shell.say("cli.up_at", url=running.url, password=auth_file(bonsai.home), logs=running.logs)
        if dashboard:
            shell.say("cli.dashboard_at", url=settings.url_of(port))
        shell.out.flush()

        def on_death(death: server.Death) -> None:
            values = {"name": death.name, "code": death.code, "log": death.log}
            if math.isinf(death.pause_seconds):
                shell.say("flows.child_given_up", **values)
            else:
                shell.say("flows.worker_ended", **values, seconds=f"{death.pause_seconds:g}")
            shell.out.flush()

        with suppress(KeyboardInterrupt):
            server.wait(running, on_death)
        shell.say("cli.stopping")
