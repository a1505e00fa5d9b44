"""`bonsai seedling`: the tiny base model that ships with Bonsai."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bonsai.cli import progress
from bonsai.cli.help import noun, verb
from bonsai.cli.shell import AsJson, shell_of

app = noun()


@verb(app, "cli.seedling_build")
def build(
    ctx: typer.Context,
    out: Annotated[Path, typer.Argument(help="cli.arg_seedling_out", metavar="FOLDER")],
    minutes: Annotated[float, typer.Option("--minutes", help="cli.opt_minutes")] = 50.0,
    seed: Annotated[int | None, typer.Option("--seed", help="cli.opt_seed")] = None,
) -> None:
    """Pre-train it from the text this package generates; started again, it goes on where it stopped."""
    from bonsai.model.seedling import build as recipe

    shell = shell_of(ctx)
    with progress.shown(shell) as report:
        recipe.build(out, minutes=minutes, seed=seed, report=report)
    shell.say("cli.seedling_built", path=out)


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
