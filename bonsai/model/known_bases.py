"""The table of bases that can be added by name (`known_bases.toml`): permissive licences, sizes, languages."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from bonsai.i18n import TextLanguage

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

    def note(self, language: TextLanguage) -> str:
        """What it is good for, in one line."""
        return self.ja if language == "ja" else self.en


@cache
def known_bases() -> dict[str, KnownBase]:
    """All of the table, by name."""
    text = (resources.files(__package__) / "known_bases.toml").read_text("utf-8")
    entries = tomllib.loads(text)
    return {name: KnownBase(name, **{**one, "languages": tuple(one["languages"])}) for name, one in entries.items()}
