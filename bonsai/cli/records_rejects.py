"""`bonsai records rejects | mend | dismiss`: what could not become a record, and what a person makes of it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bonsai.cli import progress
from bonsai.cli.help import verb
from bonsai.cli.records_shown import ID_LENGTH, on_one_line, reason, reject_object, short
from bonsai.cli.shell import AsJson, By, shell_of
from bonsai.errors import InputError, LockTimeout

RejectId = Annotated[str, typer.Argument(help="cli.arg_reject", metavar="ID")]


def add_to(app: typer.Typer) -> None:
    """The verbs of this file, as verbs of `app`."""
    verb(app, "cli.records_rejects")(rejects)
    verb(app, "cli.records_mend")(mend)
    verb(app, "cli.records_dismiss")(dismiss)


def rejects(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", help="cli.opt_limit", show_default=False)] = 0,
    as_json: AsJson = False,
) -> None:
    """What could not become a record: file, line, reason and the raw text."""
    from bonsai import views

    shell = shell_of(ctx)
    bonsai = shell.open()
    found = [reject_object(stored, shell.language) for stored in views.list_rejects(bonsai, None)]
    if as_json:
        shell.json_lines(found[: limit or None])
        return
    shown = found[: limit or bonsai.config.cli.list_limit]
    rows = (
        (str(one["id"])[:ID_LENGTH], one["file"], one["line"], one["reason"], on_one_line(str(one["raw"])))
        for one in shown
    )
    shell.table(("id", "file", "line", "reason", "raw"), rows, right=(2,), clipped=(4,))
    shell.say("cli.shown_of", shown=len(shown), all=len(found))


def mend(
    ctx: typer.Context,
    reject: RejectId,
    raw: Annotated[str, typer.Argument(help="cli.arg_mended", metavar="TEXT", show_default=False)] = "-",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Through the reader that refused it, then into the inbox. With `-` the text comes from the standard input."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    bonsai = shell.open()
    text = sys.stdin.read() if raw == "-" else raw
    made = pipeline.mend_reject(bonsai, reject, text, shell.person(by), shell.now())
    if not isinstance(made, pipeline.Mended):
        raise InputError("pipeline.still_rejected", id=short(reject), reason=reason(made, shell.language))
    try:
        pipeline.drain_inbox(bonsai, shell.now(), progress.silent)
    except LockTimeout:
        shell.complain("cli.drain_later")
    if as_json:
        shell.json(made)
    else:
        shell.say("cli.mended", id=short(made.reject), records=short(*made.records))


def dismiss(
    ctx: typer.Context,
    reject: RejectId,
    why: Annotated[str, typer.Option("--reason", help="cli.opt_reason")] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """It leaves the list, with who and why; nothing else changes."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    done = pipeline.dismiss_reject(shell.open(), reject, shell.person(by), why, shell.now())
    if as_json:
        shell.json({"id": done})
    else:
        shell.say("cli.dismissed", id=short(done))
