"""`bonsai config`: the settings of the home, and where each comes from."""

from __future__ import annotations

from typing import Annotated

import typer

from bonsai.cli.help import noun, verb
from bonsai.cli.shell import AsJson, shell_of

app = noun()


@app.callback()
def config() -> None:
    """Makes the app a group: with a single command, typer would drop the verb."""


@verb(app, "cli.config_show")
def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="cli.arg_setting", metavar="NAME")] = "",
    changed: Annotated[bool, typer.Option("--changed", help="cli.opt_changed")] = False,
    as_json: AsJson = False,
) -> None:
    """Works without a home, and then shows the defaults."""
    from dataclasses import asdict

    from bonsai.config.explain import explain_settings

    shell = shell_of(ctx)
    found = explain_settings(shell.home, shell.environ, shell.language, name)
    found = [one for one in found if one.origin or not changed]
    if as_json:
        shell.json_lines(asdict(one) for one in found)
        return
    from rich.padding import Padding
    from rich.text import Text

    for one in found:
        changes = shell.text("settings.set_by", origin=one.origin, default=one.default) if one.origin else ""
        shell.show(Text.assemble((f"{one.name} = {one.value}", "bold"), f"  {changes}" if changes else ""))
        shell.show(Padding(Text(one.about), (0, 0, 0, 4)))
