"""`bonsai up`: server, workers and schedule, until Ctrl-C."""

from __future__ import annotations

import signal
from contextlib import suppress

import typer

from bonsai.cli.help import noun, verb
from bonsai.cli.shell import shell_of

app = noun()


@verb(app, "cli.up")
def up(ctx: typer.Context) -> None:
    """Start everything, say where it is, wait; Ctrl-C, or a SIGTERM, stops all of it."""
    from bonsai import pipeline
    from flows import server
    from flows.settings import auth_file

    shell = shell_of(ctx)
    bonsai = shell.open()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for night in pipeline.dead_nights(bonsai, shell.now()):
        shell.say("cli.night_was_dead", night=night)
    shell.say("cli.starting", home=bonsai.home)
    shell.out.flush()
    with server.started(bonsai.home, bonsai.config.prefect, shell.environ) as running:
        for name in running.crashed:
            shell.say("cli.run_was_dead", run=name)
        shell.say("cli.up_at", url=running.url, password=auth_file(bonsai.home), logs=running.logs)
        shell.out.flush()

        def on_death(death: server.Death) -> None:
            told = {"name": death.name, "code": death.code, "log": death.log}
            shell.say("flows.worker_ended", **told, seconds=f"{death.pause_seconds:g}")
            shell.out.flush()

        with suppress(KeyboardInterrupt):
            server.wait(running, on_death)
        shell.say("cli.stopping")
