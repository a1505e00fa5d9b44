"""The table of bases that can be added by name (`known_bases.toml`): permissive licences, sizes, languages."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from bonsai.i18n import TextLanguage
from bonsai.model.bases import ModelShape
from bonsai.model.package_index import IndexWheel

PERMISSIVE = ("apache-2.0", "mit")
"SPDX identifiers, in lower case, that the table admits."


@dataclass(frozen=True, slots=True)
class KnownBase:
    """One base of the table."""

    name: str
    model: str
    "Hub id."
    licence: str
    "SPDX identifier in lower case."
    languages: tuple[str, ...]
    "ISO 639-1; where there are many, those that matter here."
    parameters: int
    "About; `add` reads the number from the files."
    tried: bool
    "Added, asked and trained by this project; says nothing of quality."
    en: str
    ja: str
    shape: ModelShape
    "Empty where no published configuration was at hand; `add` reads it from the files."
    wheel: IndexWheel | None = None
    "The same model on the package index, for when the hub cannot be reached."

    def note(self, language: TextLanguage) -> str:
        """What it is good for, in one line."""
        return self.ja if language == "ja" else self.en


@cache
def known_bases() -> dict[str, KnownBase]:
    """All of the table, by name."""
    text = (resources.files(__package__) / "known_bases.toml").read_text("utf-8")
    return {name: _entry(name, one) for name, one in tomllib.loads(text).items()}


def _entry(name: str, values: dict[str, Any]) -> KnownBase:
    shape, languages = ModelShape(**values.get("shape", {})), tuple(values["languages"])
    wheel = IndexWheel(**values["wheel"]) if "wheel" in values else None
    return KnownBase(name, **{**values, "languages": languages, "shape": shape, "wheel": wheel})
