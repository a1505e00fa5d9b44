"""`bonsai seedling`: the tiny base model that ships with Bonsai."""

from __future__ import annotations

import typer

from bonsai.cli.help import noun, verb
from bonsai.cli.shell import AsJson, shell_of

app = noun()


@app.callback()
def seedling() -> None:
    """A noun, though it has one verb so far: without this, typer makes the verb the command."""


@verb(app, "cli.seedling_show")
def show(ctx: typer.Context, as_json: AsJson = False) -> None:
    """What ships: its size, how it was made, what it can do."""
    from bonsai.model.seedling import card

    shell = shell_of(ctx)
    found = card.read()
    if as_json:
        shell.json(found)
        return
    shell.show(card.render(found, shell.language))
