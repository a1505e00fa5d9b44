"""The seedling's model card: what it is, how it was made, what it can do. Light: no torch.

`model_card.json` is for programs, `README.md` beside it for people; both are written by the build, the JSON last.
`verify` compares the weights with the card, and the card with the recipe in the code.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonsai.errors import IntegrityError
from bonsai.files import sha256_file, write_atomic, write_json_atomic
from bonsai.model.seedling import weights_folder, world
from bonsai.model.seedling.recipe import Recipe, default_guard, recipe_hash
from bonsai.texts import TextLanguage, text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bonsai.model.seedling.measure import Figures

CARD = "model_card.json"
HASHED = ("model.safetensors", "config.json", "tokenizer.json")
LIBRARIES = ("torch", "transformers", "tokenizers", "bitsandbytes")
BUILD_COMMAND = "bonsai seedling build FOLDER"
MEASURE_COMMAND = "python -m bonsai.model.seedling.measure"


def read(folder: Path | None = None) -> dict[str, Any]:
    """The card in `folder`, by default of the seedling that ships. Raises IntegrityError when there is none."""
    path = (folder or weights_folder()) / CARD
    if not path.is_file():
        raise IntegrityError("seedling.no_card", path=path)
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def verify(folder: Path | None = None) -> str:
    """One line that says which seedling this is. Raises IntegrityError for altered files or another recipe."""
    place = folder or weights_folder()
    found = read(place)
    for name, digest in found["files"].items():
        if not (place / name).is_file() or sha256_file(place / name) != digest:
            raise IntegrityError("seedling.altered", path=place / name)
    if found["recipe_hash"] != recipe_hash(Recipe(**found["settings"])):
        raise IntegrityError("seedling.recipe_differs", path=place / CARD)
    return f"{found['parameters'] / 1e6:.1f} M, {found['recipe_hash'][:12]}"


def write(
    folder: Path,
    recipe: Recipe,
    first_losses: Sequence[float],
    figures: Sequence[Figures],
    *,
    tokens: int,
    seconds: float,
) -> dict[str, Any]:
    """Make the card of the weights in `folder`, and its readable form."""
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
    """The card for people."""
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
    rows = [f"| {' | '.join(row)} |" for row in _figure_rows(found)]
    return "\n".join(
        [head, "| questions about | number | exact | language | ended |", "|---|---:|---:|---:|---:|", *rows, ""]
    )


def render(found: Mapping[str, Any], language: TextLanguage) -> RenderableType:
    """The card as tables for the terminal."""
    from rich.console import Group
    from rich.table import Table

    about = Table(show_header=False, box=None)
    for name, value in _facts_of(found):
        about.add_row(text(f"seedling.{name}", language), value)
    figures = Table(title=text("seedling.figures_title", language), title_justify="left")
    for column in ("group", "questions", "exact", "right_language", "ended"):
        figures.add_column(text(f"seedling.{column}", language), justify="left" if column == "group" else "right")
    for row in _figure_rows(found):
        figures.add_row(*row)
    return Group(about, figures, text("seedling.figures_by", language, command=found["commands"]["figures"]))


def _facts_of(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("architecture", f"{found['architecture']}, {found['parameters'] / 1e6:.2f} M"),
        ("vocabulary", str(found["vocabulary"])),
        ("known_facts", str(found["facts"])),
        (
            "trained",
            f"{found['settings']['steps']} · {found['trained_tokens'] / 1e6:.1f} M · {found['seconds'] / 60:.0f} min",
        ),
        ("recipe", found["recipe_hash"][:16]),
    ]


def _figure_rows(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [
        (
            entry["group"],
            str(entry["questions"]),
            f"{entry['exact']:.1%}",
            f"{entry['right_language']:.1%}",
            f"{entry['ended']:.1%}",
        )
        for entry in found["figures"]
    ]


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
