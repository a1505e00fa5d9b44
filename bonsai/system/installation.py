"""Where this program lies: a clone, or an environment into which a wheel was installed."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Mapping
from pathlib import Path

CODE = Path(__file__).parents[2]
"The folder that holds the packages `bonsai`, `storage` and `flows`."


def python_path(environ: Mapping[str, str]) -> dict[str, str]:
    """`PYTHONPATH` for a child that shall import the same packages as this process.

    Empty for an installed package: its child finds `site-packages` by itself, and that folder must not go before the
    standard library.
    """
    given = environ.get("PYTHONPATH", "")
    if CODE in {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}:
        return {"PYTHONPATH": given} if given else {}
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(CODE), given)))}
