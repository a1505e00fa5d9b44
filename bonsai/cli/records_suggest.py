"""`bonsai records suggest`: what Bonsai would make of a record, before it is told."""

from __future__ import annotations

from typing import Annotated

import typer

from bonsai.cli.help import verb
from bonsai.cli.records_shown import short
from bonsai.cli.shell import AsJson, shell_of
from bonsai.errors import InputError


def add_to(app: typer.Typer) -> None:
    """The verb of this file, as a verb of `app`."""
    verb(app, "cli.records_suggest")(suggest)


def suggest(
    ctx: typer.Context,
    instruction: Annotated[str, typer.Argument(help="cli.arg_instruction")],
    output: Annotated[str, typer.Argument(help="cli.arg_output")],
    context: Annotated[str, typer.Option("--input", help="cli.opt_input")] = "",
    as_json: AsJson = False,
) -> None:
    """Its tags, and what it would repeat or contradict; nothing is kept."""
    from bonsai.pipeline.records import suggesting

    shell = shell_of(ctx)
    bonsai = shell.open()
    fields = {"instruction": instruction, "input": context, "output": output}
    found = suggesting.suggest(bonsai, fields, suggesting.learned_before(bonsai))
    if found is None:
        raise InputError("pipeline.nothing_to_suggest")
    if as_json:
        shell.json(found)
        return
    named = (("language", found.tags.language), ("category", found.tags.category))
    shell.fields((name, f"{tag.value} ({tag.source} {tag.confidence:.2f})") for name, tag in named)
    shell.fields((("likely", ", ".join(found.likely)),))
    if found.exact:
        shell.say("cli.told_before", ids=short(found.exact.record.id))
    if found.contradicts:
        shell.say("cli.would_contradict", ids=short(*(one.record.id for one in found.contradicts)))
    if found.near:
        shell.say("cli.would_be_near", ids=short(*(one.record.id for one in found.near)))
