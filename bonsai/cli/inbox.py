"""`bonsai inbox`: submissions that are not stored yet."""

from __future__ import annotations

from typing import Annotated

import typer

from bonsai.cli import progress
from bonsai.cli.help import noun, verb
from bonsai.cli.presenters.records import count_pairs, short
from bonsai.cli.shell import AsJson, shell_of

app = noun()


@verb(app, "cli.inbox_status")
def status(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Number of waiting submissions, and the oldest one's time."""
    from bonsai.queries.records import inbox_status

    shell = shell_of(ctx)
    found = inbox_status(shell.open())
    if as_json:
        shell.json(found)
        return
    names = ("pending", "uploads", "oldest", "done", "failed")
    shell.fields((name, getattr(found, name)) for name in names)


@verb(app, "cli.inbox_show")
def show(
    ctx: typer.Context,
    submissions: Annotated[list[str], typer.Argument(help="cli.arg_submissions", metavar="ID")],
    as_json: AsJson = False,
) -> None:
    """Status of submissions, by the ids that `records add` prints."""
    from bonsai.queries.records import submission_status
    from bonsai.serializers import records

    shell = shell_of(ctx)
    found = submission_status(shell.open(), submissions)
    if as_json:
        shell.json([records.followed(one, shell.language) for one in found])
        return
    rows = (
        (one.submission, shell.text(f"cli.told_{one.state}"), short(one.stored.record.id) if one.stored else "")
        for one in found
    )
    shell.table(("submission", "state", "record"), rows)


@verb(app, "cli.inbox_drain")
def drain(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Store everything; idempotent."""
    from bonsai.actions.inbox import drain_inbox
    from bonsai.schemas.records import Drained

    shell = shell_of(ctx)
    bonsai = shell.open()
    with progress.shown(shell, quiet=as_json) as report:
        drained = drain_inbox(bonsai, shell.now(), report)
    if as_json:
        shell.json(Drained(files=drained.files, **dict(count_pairs(drained.counts))))
        return
    shell.fields((("files", drained.files), *count_pairs(drained.counts)))
