"""The bundled records: what the demo teaches, and what it is fed to show that nothing bad gets through.

    experience.jsonl      cat care, daily life and dated experiences; two wordings in each language
    ten.jsonl             ten records of an invented cat owner, one wording each, for `bonsai demo --base smollm2`
    household.jsonl       one invented household; three wordings, so that the personal evaluation set can hold one back
    messy.jsonl, .csv     broken on purpose; `messy.json` tells what is wrong in them, counted
    poison.jsonl          answers in the wrong language, loops and mixtures: a night that learns it must be refused

All but `ten.jsonl` are made from `facts/*.toml` by `python -m research.samples.render`; a test compares them.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def sample_path(name: str) -> Path:
    """The path of a bundled file, e.g. `sample_path("experience.jsonl")`."""
    return Path(str(resources.files(__name__) / name))
