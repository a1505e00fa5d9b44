"""`bonsai db`: the home's database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bonsai.cli.help import noun, verb
from bonsai.cli.shell import AsJson, shell_of

app = noun()


@verb(app, "cli.db_migrate")
def migrate(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Migrate to this version's schema; idempotent. Does not open the home, which requires that schema."""
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
    """Verify migrations, the promotion log's hash chain, and the hashes of adapters and snapshots."""
    from bonsai.actions import maintenance
    from bonsai.cli.presenters.findings import tell

    shell = shell_of(ctx)
    raise typer.Exit(tell(shell, maintenance.check(shell.open(), shell.language), as_json))


@verb(app, "cli.db_rebuild")
def rebuild(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Rebuild counters and search index; reports which were wrong."""
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
    """A consistent online copy; never copy the file itself."""
    from bonsai.actions import maintenance

    shell = shell_of(ctx)
    shell.say("cli.backed_up", path=maintenance.backup(shell.open(), path))
