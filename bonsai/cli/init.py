"""`bonsai init`: create a home."""

from __future__ import annotations

import typer

from bonsai.cli.help import noun, verb
from bonsai.cli.shell import AsJson, Shell, shell_of

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
    _offer_a_base(shell)


def _offer_a_base(shell: Shell) -> None:
    """While the seedling is in use: that it is a toy, and what this machine could train instead."""
    from bonsai.model.bases import choose_profile, find_device
    from bonsai.queries.base_offers import base_offer

    config = shell.config()
    profile = choose_profile(config.training.profile, tuple(config.profiles), find_device())
    offer = base_offer(config, profile, shell.language)
    if offer is None:
        return
    more = shell.text("bases.offer", command=offer.command, **offer.values(shell.language)) if offer.base else ""
    shell.line("")
    shell.show(shell.text("bases.seedling_is_a_toy"))
    shell.show(more or shell.text("bases.no_offer"))
