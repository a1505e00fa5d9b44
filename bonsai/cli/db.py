"""`bonsai db`: the database of the home."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bonsai.cli.help import noun, verb
from bonsai.cli.shell import AsJson, shell_of

app = noun()


@verb(app, "cli.db_migrate")
def migrate(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Bring it to this version's form; again does nothing. Does not open the home, which needs that form already."""
    from bonsai import bootstrap

    shell = shell_of(ctx)
    applied = bootstrap.migrate(shell.home, shell.environ, shell.now())
    if as_json:
        shell.json({"applied": list(applied)})
    elif applied:
        shell.say("cli.migrated", names=", ".join(applied))
    else:
        shell.say("cli.nothing_to_migrate")


@verb(app, "cli.db_check")
def check(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Migrations, the promotion log's chain, adapters and snapshots against their hashes."""
    from bonsai.actions import maintenance
    from bonsai.cli.presenters.findings import tell

    shell = shell_of(ctx)
    raise typer.Exit(tell(shell, maintenance.check(shell.open(), shell.language), as_json))


@verb(app, "cli.db_rebuild")
def rebuild(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Counters and the search index; says which of them `db check` would have complained of."""
    from bonsai.actions import maintenance

    shell = shell_of(ctx)
    wrong = maintenance.rebuild(shell.open(), shell.now())
    if as_json:
        shell.json({"wrong": list(wrong)})
    elif wrong:
        shell.say("cli.rebuilt", names=", ".join(wrong))
    else:
        shell.say("cli.rebuilt_nothing")


@verb(app, "cli.db_backup")
def backup(ctx: typer.Context, path: Annotated[Path, typer.Argument(help="cli.arg_backup", metavar="FILE")]) -> None:
    """A copy that is whole, made while others work; never copy the file itself."""
    from bonsai.actions import maintenance

    shell = shell_of(ctx)
    shell.say("cli.backed_up", path=maintenance.backup(shell.open(), path))
