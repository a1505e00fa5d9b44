"""`bonsai tokens`: API tokens of users."""

from __future__ import annotations

from typing import Annotated

import typer

from bonsai.cli.help import noun, verb
from bonsai.cli.shell import AsJson, one_of, shell_of

app = noun()


@verb(app, "cli.tokens_add")
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="cli.arg_token_name", metavar="NAME")],
    scopes: Annotated[list[str], typer.Option("--scope", help="cli.opt_scope", metavar="SCOPE")],
    days: Annotated[int, typer.Option("--days", help="cli.opt_days")] = 90,
    note: Annotated[str, typer.Option("--note", help="cli.opt_note", show_default=False)] = "",
) -> None:
    """Only the token on stdout, for scripts; notes on stderr."""
    from bonsai.auth import tokens
    from storage.tables.tokens_table import SCOPES

    shell = shell_of(ctx)
    valid_scopes = [one_of(one, SCOPES, "--scope") for one in scopes]
    shown = tokens.add_token(shell.open(), name, valid_scopes, days=days, note=note, now=shell.now())
    shell.complain("api.token_added", id=tokens.token_id(shown), name=name, scopes=", ".join(valid_scopes), days=days)
    shell.line(shown)


@verb(app, "cli.tokens_list", name="list")
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Oldest first; shows ids, never tokens."""
    from bonsai.auth import tokens

    shell = shell_of(ctx)
    found = tokens.list_tokens(shell.open())
    if as_json:
        shell.json_lines(found)
        return
    headings = ("id", "name", "scopes", "note", "created_at", "expires_at", "used_at")
    shell.table(headings, ([getattr(one, heading) for heading in headings] for one in found))


@verb(app, "cli.tokens_revoke")
def revoke(ctx: typer.Context, token: Annotated[str, typer.Argument(help="cli.arg_token", metavar="TOKEN")]) -> None:
    """Invalid from now on."""
    from bonsai.auth import tokens

    shell = shell_of(ctx)
    shell.say("api.token_revoked", id=tokens.revoke_token(shell.open(), token))
