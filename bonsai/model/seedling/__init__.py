"""The seedling: a small bilingual base model of our own, with its card and the facts that nights replay.

Light: nothing here loads torch. `research/seedling` makes the weights, `weights/` holds the ones that ship.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def weights_folder() -> Path:
    """The folder with the weights, the tokenizer and the model card that ship with the package."""
    return Path(str(resources.files("bonsai.model.seedling"))) / "weights"
