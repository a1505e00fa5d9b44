"""`python -m research`: experiments and the seedling's build, from a checkout, in the languages of `bonsai`."""

from __future__ import annotations

import os
import sys

from bonsai.cli.help import Root
from bonsai.cli.main import run


class Research(Root):
    """Root command of this package."""

    program = "python -m research"
    about = "cli.research"
    module = "research.{noun}.command"
    nouns = (("cli.help_commands", ("experiment", "seedling")),)


if __name__ == "__main__":
    raise SystemExit(run(sys.argv[1:], os.environ, Research))
