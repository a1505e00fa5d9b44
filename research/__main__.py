"""`python -m research`: experiments, and the seedling made anew; from a checkout, in the same languages as `bonsai`."""

from __future__ import annotations

import os
import sys

from bonsai.cli.help import Root
from bonsai.cli.main import run


class Research(Root):
    """The commands of this package."""

    program = "python -m research"
    about = "cli.research"
    module = "research.{noun}.command"
    nouns = (("cli.help_commands", ("experiment", "seedling")),)


if __name__ == "__main__":
    raise SystemExit(run(sys.argv[1:], os.environ, Research))
