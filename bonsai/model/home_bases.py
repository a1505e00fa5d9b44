"""Bases that a home has added: one folder each under `bases/`, complete once its manifest, written last, exists.

    bases/smollm2-135m/   profile.toml   inherited kind, name, model and revision: a profile of this home
                          model/         converted weights and tokenizer, of a GGUF file alone
                          log.txt        of the workers that converted and checked it
                          base.json      the manifest: origin, licence, weights hash, results of the check

Light: every command reads the profiles of a home.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bonsai.errors import ConfigError, IntegrityError
from bonsai.system.files import write_json_atomic
from bonsai.system.json_values import from_values, to_values

BASES = "bases"
CHECK_FOLDER = ".check"
"Work of a running check, beside the bases."
MANIFEST_FILE, PROFILE_FILE, WEIGHTS, LOG_FILE = "base.json", "profile.toml", "model", "log.txt"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """Result of one point of a base's check."""

    name: str
    "Its text is `cli.check_<name>`."
    ok: bool | None
    "None: told, no fault."
    key: str
    "Key of the sentence that says what was found."
    values: Mapping[str, str | int | float]


@dataclass(frozen=True, slots=True)
class BaseCheck:
    """What the check of a base found."""

    weights_hash: str
    "SHA-256 over configuration and weights, as they were checked."
    device: str
    checked_at: str
    "ISO 8601, UTC."
    findings: tuple[CheckFinding, ...]

    @property
    def passed(self) -> bool:
        """No point failed."""
        return all(one.ok is not False for one in self.findings)


@dataclass(frozen=True, slots=True)
class BaseManifest:
    """The manifest of an added base."""

    name: str
    kind: str
    "Of `[kinds.*]` in `defaults.toml`."
    source: str
    "A hub id, or the absolute path of a folder or GGUF file."
    revision: str
    "Commit of a hub id; empty for files."
    licence: str
    "SPDX identifier as its publisher states it; empty if unknown."
    languages: tuple[str, ...]
    "ISO 639-1, as its publisher states them; empty if unknown."
    parameters: int
    added_at: str
    "ISO 8601, UTC."
    check: BaseCheck
    format: int = FORMAT


def folder_of(home: Path, name: str) -> Path:
    """The folder of a base, added or not."""
    return home / BASES / name


def complete_folders(home: Path) -> list[Path]:
    """Folders of the added bases, by name; half-made ones are left out."""
    return sorted(file.parent for file in (home / BASES).glob(f"*/{MANIFEST_FILE}"))


def read_base(folder: Path) -> BaseManifest | None:
    """The manifest of a folder; None without one. Raises IntegrityError for one that cannot be read."""
    file = folder / MANIFEST_FILE
    if not file.is_file():
        return None
    try:
        return from_values(BaseManifest, json.loads(file.read_text("utf-8")))
    except ValueError:
        raise IntegrityError("bases.manifest_altered", file=file, name=folder.name) from None


def write_base(folder: Path, manifest: BaseManifest) -> None:
    """Write the manifest; from then on the base is one of the home's profiles."""
    write_json_atomic(folder / MANIFEST_FILE, to_values(manifest))


def read_profile(folder: Path) -> dict[str, Any]:
    """The profile of a complete folder, unvalidated; converted weights are found wherever the home lies now.

    Raises ConfigError if the file is missing or not UTF-8 TOML.
    """
    file = folder / PROFILE_FILE
    try:
        profile = tomllib.loads(file.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("bases.profile_unreadable", file=file, name=folder.name, detail=str(error)) from None
    base, converted = profile.get("base"), f"{BASES}/{folder.name}/{WEIGHTS}"
    if isinstance(base, dict) and base.get("model") == converted:
        return {**profile, "base": {**base, "model": str(folder / WEIGHTS)}}
    return profile


def profile_text(name: str, kind: str, model: str, revision: str, decided: Mapping[str, int | str]) -> str:
    """`profile.toml`; `decided` are fields of its base that differ from the kind's."""
    lines = [f"inherits = {_quoted(kind)}", "", "[base]", f"name = {_quoted(name)}", f"model = {_quoted(model)}"]
    lines += [f"revision = {_quoted(revision)}", *(f"{field} = {_value(value)}" for field, value in decided.items())]
    return "\n".join(lines) + "\n"


def _value(one: int | str) -> str:
    return _quoted(one) if isinstance(one, str) else str(one)


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
