"""`bonsai records edit | versions | restore`: change a record, and go back to what it was."""

from __future__ import annotations

from typing import Annotated

import typer

from bonsai.cli.help import verb
from bonsai.cli.records_shown import tell_ids, version_rows
from bonsai.cli.shell import AsJson, By, shell_of
from bonsai.errors import UsageError

RecordId = Annotated[str, typer.Argument(help="cli.arg_record", metavar="ID")]


def add_to(app: typer.Typer) -> None:
    """The verbs of this file, as verbs of `app`."""
    verb(app, "cli.records_edit")(edit)
    verb(app, "cli.records_versions")(versions)
    verb(app, "cli.records_restore")(restore)


def edit(
    ctx: typer.Context,
    record: RecordId,
    instruction: Annotated[str | None, typer.Option("--instruction", help="cli.opt_instruction")] = None,
    context: Annotated[str | None, typer.Option("--input", help="cli.opt_input")] = None,
    output: Annotated[str | None, typer.Option("--output", help="cli.opt_output")] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="cli.opt_subject")] = None,
    happened_on: Annotated[str | None, typer.Option("--on", help="cli.opt_on", metavar="YYYY-MM-DD")] = None,
    feeling: Annotated[str | None, typer.Option("--feeling", help="cli.opt_feeling")] = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """The earlier version is kept; other texts give the record a new id (ids follow content)."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    said = {
        "instruction": instruction,
        "input": context,
        "output": output,
        "subject": subject,
        "happened_on": happened_on,
        "feeling": feeling,
    }
    changes = {name: value for name, value in said.items() if value is not None}
    if not changes:
        options = "--instruction, --input, --output, --subject, --on, --feeling"
        raise UsageError("cli.nothing_to_change", options=options)
    new_id = pipeline.edit_record(shell.open(), record, changes, shell.person(by), shell.now())
    tell_ids(shell, "cli.edited", (new_id,), as_json)


def versions(ctx: typer.Context, record: RecordId, as_json: AsJson = False) -> None:
    """What it was before each edit, the oldest first; `restore` takes the number."""
    from bonsai import views

    shell = shell_of(ctx)
    detail = views.show_record(shell.open(), record)
    if as_json:
        shell.json_lines({"number": number, **_said(one)} for number, one in enumerate(detail.versions, 1))
        return
    rows = ((number, *row) for number, row in enumerate(version_rows(detail), 1))
    shell.table(("number", "at", "by", "question", "answer"), rows, right=(0,), clipped=(3, 4))


def _said(version: object) -> dict[str, object]:
    names = ("record_id", "replaced_by", "edited_at", "edited_by", "content")
    return {name: getattr(version, name) for name in names}


def restore(
    ctx: typer.Context,
    record: RecordId,
    number: Annotated[int, typer.Argument(help="cli.arg_version", metavar="NUMBER")],
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Make it what it was in a version; what it is now becomes a version too."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    made = pipeline.restore_version(shell.open(), record, number, shell.person(by), shell.now())
    tell_ids(shell, "cli.edited", (made,), as_json)
