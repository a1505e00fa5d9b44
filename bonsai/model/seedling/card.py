"""The seedling's model card: what it is, how it was made, what it can do. Light: no torch.

`model_card.json` is for programs, `README.md` beside it for people; `research/seedling` writes both.
`verify` compares the weights with the card.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonsai.errors import IntegrityError
from bonsai.i18n import TextLanguage, text
from bonsai.model.seedling import weights_folder
from bonsai.system.files import sha256_file

if TYPE_CHECKING:
    from rich.console import RenderableType


CARD = "model_card.json"


def read(folder: Path | None = None) -> dict[str, Any]:
    """The card in `folder`, by default of the seedling that ships. Raises IntegrityError when there is none."""
    path = (folder or weights_folder()) / CARD
    if not path.is_file():
        raise IntegrityError("seedling.no_card", path=path)
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def verify(folder: Path | None = None) -> str:
    """One line that says which seedling this is. Raises IntegrityError for altered files."""
    place = folder or weights_folder()
    found = read(place)
    for name, digest in found["files"].items():
        if not (place / name).is_file() or sha256_file(place / name) != digest:
            raise IntegrityError("seedling.altered", path=place / name)
    return f"{found['parameters'] / 1e6:.1f} M, {found['recipe_hash'][:12]}"


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
    for row in figure_rows(found):
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


def figure_rows(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The measured figures, a row a group of questions."""
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
