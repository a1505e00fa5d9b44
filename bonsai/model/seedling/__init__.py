"""The seedling: a small bilingual base model of our own, its world, its recipe and its weights.

Light: nothing here loads torch. `build.py` makes the weights anew, `weights/` holds the ones that ship.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def weights_folder() -> Path:
    """The folder with the weights, the tokenizer and the model card that ship with the package."""
    return Path(str(resources.files("bonsai.model.seedling"))) / "weights"
