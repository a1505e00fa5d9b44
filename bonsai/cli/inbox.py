"""`bonsai inbox`: what has been told and not been taken in yet."""

from __future__ import annotations

import typer

from bonsai.cli import progress
from bonsai.cli.help import noun, verb
from bonsai.cli.records_shown import count_pairs
from bonsai.cli.shell import AsJson, shell_of

app = noun()


@verb(app, "cli.inbox_status")
def status(ctx: typer.Context, as_json: AsJson = False) -> None:
    """How much waits, and since when."""
    from bonsai import views

    shell = shell_of(ctx)
    found = views.inbox_status(shell.open())
    if as_json:
        shell.json(found)
        return
    shell.fields((("pending", found.pending), ("oldest", found.oldest), ("done", found.done), ("failed", found.failed)))


@verb(app, "cli.inbox_drain")
def drain(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Take everything in; again changes nothing."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    bonsai = shell.open()
    with progress.shown(shell, quiet=as_json) as report:
        drained = pipeline.drain_inbox(bonsai, shell.now(), report)
    if as_json:
        shell.json({"files": drained.files, **dict(count_pairs(drained.counts))})
        return
    shell.fields((("files", drained.files), *count_pairs(drained.counts)))
