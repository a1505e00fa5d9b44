"""`bonsai users`: accounts for the dashboard."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bonsai.cli.help import noun, verb
from bonsai.cli.shell import AsJson, Shell, one_of, shell_of
from bonsai.errors import UsageError

app = noun()

UserName = Annotated[str, typer.Argument(help="cli.arg_user", metavar="NAME")]


@verb(app, "cli.users_add")
def add(
    ctx: typer.Context,
    name: UserName,
    role: Annotated[str, typer.Option("--role", help="cli.opt_role")] = "contributor",
) -> None:
    """Prompts for the password, or reads a line of standard input."""
    from bonsai.auth import accounts
    from storage.tables.users_table import ROLES

    shell = shell_of(ctx)
    bonsai = shell.open()
    as_what = one_of(role, ROLES, "--role")
    kept = accounts.add_user(bonsai, name, as_what, _password(shell), shell.now())
    shell.say("dashboard.user_added", name=kept, role=as_what)


@verb(app, "cli.users_list", name="list")
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """By name; shows no hashes."""
    from bonsai.auth import accounts

    shell = shell_of(ctx)
    found = accounts.list_users(shell.open())
    if as_json:
        shell.json_lines({"name": one.name, "role": one.role, "created_at": one.created_at} for one in found)
        return
    shell.table(("name", "role", "at"), ((one.name, one.role, one.created_at) for one in found))


@verb(app, "cli.users_role")
def role(
    ctx: typer.Context,
    name: UserName,
    role: Annotated[str, typer.Argument(help="cli.opt_role", metavar="ROLE")],
) -> None:
    """Takes effect at once, for tokens too."""
    from bonsai.auth import accounts
    from storage.tables.users_table import ROLES

    shell = shell_of(ctx)
    as_what = one_of(role, ROLES, "ROLE")
    accounts.change_role(shell.open(), name, as_what, shell.now())
    shell.say("dashboard.role_changed", name=name, role=as_what)


@verb(app, "cli.users_remove")
def remove(ctx: typer.Context, name: UserName) -> None:
    """Ends the user's sessions at once."""
    from bonsai.auth import accounts

    shell = shell_of(ctx)
    accounts.remove_user(shell.open(), name)
    shell.say("dashboard.user_removed", name=name)


@verb(app, "cli.users_passwd")
def passwd(ctx: typer.Context, name: UserName) -> None:
    """Change the password; all sessions end."""
    from bonsai.auth import accounts

    shell = shell_of(ctx)
    accounts.change_password(shell.open(), name, _password(shell), shell.now())
    shell.say("dashboard.password_changed", name=name)


def _password(shell: Shell) -> str:
    """Typed twice without echo on a terminal; one line from a script."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    from getpass import getpass

    first = getpass(f"{shell.text('dashboard.login_password')}: ")
    if getpass(f"{shell.text('cli.password_again')}: ") != first:
        raise UsageError("dashboard.passwords_differ")
    return first
