"""`bonsai seedling`: the tiny base model that ships with Bonsai."""

from __future__ import annotations

import typer

from bonsai.cli.help import noun, verb
from bonsai.cli.shell import AsJson, shell_of

app = noun()


@app.callback()
def seedling() -> None:
    """Makes the app a group: with a single command, typer would drop the verb."""


@verb(app, "cli.seedling_show")
def show(ctx: typer.Context, as_json: AsJson = False) -> None:
    """The shipped model: size, origin, abilities."""
    from bonsai.model.seedling import card

    shell = shell_of(ctx)
    found = card.read()
    if as_json:
        shell.json(found)
        return
    shell.show(card.render(found, shell.language))
