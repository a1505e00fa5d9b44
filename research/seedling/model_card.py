"""Writes the seedling's model card: `model_card.json` for programs, `README.md` for people."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from bonsai.i18n import text
from bonsai.model.seedling.card import CARD, figure_rows
from bonsai.system.files import sha256_file, write_atomic, write_json_atomic
from research.seedling import world
from research.seedling.measure import Figures
from research.seedling.recipe import Recipe, default_guard, recipe_hash

HASHED = ("model.safetensors", "config.json", "tokenizer.json")
LIBRARIES = ("torch", "transformers", "tokenizers", "bitsandbytes")
BUILD_COMMAND = "python -m research seedling build FOLDER"
MEASURE_COMMAND = "python -m research seedling measure"


def write_card(
    folder: Path,
    recipe: Recipe,
    first_losses: Sequence[float],
    figures: Sequence[Figures],
    *,
    tokens: int,
    seconds: float,
) -> dict[str, Any]:
    """Write the card of the weights in `folder`, and its readable form."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    made: dict[str, Any] = {
        "name": "seedling",
        "architecture": config["architectures"][0],
        "parameters": _parameters(folder / "model.safetensors"),
        "vocabulary": config["vocab_size"],
        "positions": config["max_position_embeddings"],
        "settings": dataclasses.asdict(recipe),
        "recipe_hash": recipe_hash(recipe),
        "facts": len(world.facts()),
        "guarded_questions": len(default_guard()),
        "trained_tokens": tokens,
        "seconds": round(seconds),
        "first_losses": [round(loss, 6) for loss in first_losses],
        "figures": [dataclasses.asdict(entry) for entry in figures],
        "commands": {"build": BUILD_COMMAND, "figures": MEASURE_COMMAND},
        "versions": {name: metadata.version(name) for name in LIBRARIES},
        "files": {name: sha256_file(folder / name) for name in HASHED},
    }
    write_atomic(folder / "README.md", markdown(made))
    write_json_atomic(folder / CARD, made)
    return made


def markdown(found: Mapping[str, Any]) -> str:
    """The card as Markdown."""
    head = text(
        "seedling.card_md",
        "en",
        parameters=f"{found['parameters'] / 1e6:.2f}",
        vocabulary=found["vocabulary"],
        positions=found["positions"],
        facts=found["facts"],
        tokens=f"{found['trained_tokens'] / 1e6:.1f}",
        minutes=round(found["seconds"] / 60),
        steps=found["settings"]["steps"],
        seed=found["settings"]["seed"],
        recipe=found["recipe_hash"],
        build=found["commands"]["build"],
        figures=found["commands"]["figures"],
        guarded=found["guarded_questions"],
    )
    rows = [f"| {' | '.join(row)} |" for row in figure_rows(found)]
    return "\n".join(
        [head, "| questions about | number | exact | language | ended |", "|---|---:|---:|---:|---:|", *rows, ""]
    )


def _parameters(weights: Path) -> int:
    """Counted from the safetensors header: eight bytes of length, then JSON with every tensor's shape."""
    with weights.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    total = 0
    for name, tensor in header.items():
        if name != "__metadata__":
            size = 1
            for side in tensor["shape"]:
                size *= side
            total += size
    return total
