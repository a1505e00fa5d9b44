"""The seedling: a small bilingual base model of our own, its world, its recipe and its weights.

Light: nothing here loads torch. `build.py` makes the weights anew, `weights/` holds the ones that ship.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from bonsai.model.seedling import replay
from bonsai.model.seedling.world.fact import WorldRecord


def weights_folder() -> Path:
    """The folder with the weights, the tokenizer and the model card that ship with the package."""
    return Path(str(resources.files("bonsai.model.seedling"))) / "weights"


def anchors(count: int, seed: int) -> list[WorldRecord]:
    """`count` records of what the seedling knows, to be mixed into a night against forgetting."""
    return replay.anchors(count, seed)
