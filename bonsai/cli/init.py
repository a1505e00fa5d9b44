"""`bonsai init`: create a home."""

from __future__ import annotations

import typer

from bonsai.cli.help import noun, verb
from bonsai.cli.shell import AsJson, shell_of

app = noun()


@verb(app, "cli.init")
def init(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Create the home; idempotent."""
    from bonsai import bootstrap

    shell = shell_of(ctx)
    made = bootstrap.init(shell.home, shell.language, shell.now(), shell.environ)
    if as_json:
        shell.json(made)
        return
    shell.say("cli.home_made" if made.created else "cli.home_there", home=made.home, settings=made.settings)
