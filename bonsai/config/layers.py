"""Layers of settings: each value remembers which layer set it.

Layers are read as plain mappings before any model sees them, so that an error can name the file or variable, and the
key that was probably meant.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonsai.errors import ConfigError
from bonsai.i18n import TextLanguage, text
from bonsai.model.home_bases import PROFILE_FILE, complete_folders, read_profile
from bonsai.system.defaults import default_section, defaults_text

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails


SETTINGS_FILE = "bonsai.toml"
PREFIX = "BONSAI_"
RETIRED = frozenset({("benchmark", "forced_answers")})
"Settings of earlier versions that say nothing any more: a home's file may still have them."
KINDS = "kinds"
"Table of `defaults.toml`: what profiles may inherit. No other layer has it."
Keys = tuple[str, ...]
"Path of a setting: gate, mode."


@dataclass(frozen=True, slots=True)
class Layers:
    """Merged settings, and the last origin of each."""

    values: Mapping[str, Any]
    origins: Mapping[Keys, str]
    "File or environment variable of each value that is not a default."


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """One invalid setting."""

    key: str
    "Key of its text."
    values: tuple[tuple[str, str], ...]

    def render(self, language: TextLanguage) -> str:
        """One clause of a message."""
        return text(self.key, language, **dict(self.values))


class SettingsError(ConfigError):
    """All invalid settings in one error, so that they can be fixed in one go."""

    @classmethod
    def from_validation(
        cls, error: ValidationError, layers: Layers, valid_names: Callable[[Keys], Keys]
    ) -> SettingsError:
        """From pydantic's errors; `valid_names` lists the keys allowed under a parent."""
        found = tuple(_problem(detail, layers, valid_names) for detail in error.errors(include_url=False))
        return cls("config.unusable", problems=found)

    def render(self, language: TextLanguage = "en") -> str:
        """The problems, separated by semicolons."""
        return text(self.key, language, problems="; ".join(p.render(language) for p in self.values["problems"]))


def home_of(environ: Mapping[str, str]) -> Path:
    """`$BONSAI_HOME`, else `~/.bonsai`."""
    return Path(environ.get("BONSAI_HOME", "").strip() or "~/.bonsai").expanduser().absolute()


def read_layers(home: Path, environ: Mapping[str, str]) -> Layers:
    """Defaults, the home's added bases, its file, the environment; below each profile the kind that it inherits.

    Raises ConfigError if a file is not UTF-8 TOML, or a profile inherits an unknown kind.
    """
    values: dict[str, Any] = tomllib.loads(defaults_text())
    kinds = values.pop(KINDS)
    origins: dict[Keys, str] = {}
    for folder in complete_folders(home):
        profile = {"profiles": {folder.name: read_profile(folder)}}
        _merge(values, profile, str(folder / PROFILE_FILE), origins, ())
    path = home / SETTINGS_FILE
    if path.is_file():
        _merge(values, read_settings_file(path), str(path), origins, ())
    for name, keys in _variables(environ):
        _merge(values, _nested(keys, _plain(environ[name])), name, origins, ())
    return Layers(inherited(values, kinds), origins)


def default_values() -> dict[str, Any]:
    """The defaults alone, their profiles complete."""
    values: dict[str, Any] = tomllib.loads(defaults_text())
    return inherited(values, values.pop(KINDS))


def inherited(values: dict[str, Any], kinds: Mapping[str, Any]) -> dict[str, Any]:
    """The values with each profile's kind below its own values. Raises ConfigError for an unknown kind."""
    profiles = values.get("profiles")
    if not isinstance(profiles, dict):
        return values  # the models say what is wrong with it
    made = {name: inherit(name, profile, kinds) for name, profile in profiles.items()}
    return {**values, "profiles": made}


def inherit(name: str, profile: Any, kinds: Mapping[str, Any]) -> Any:
    """One profile with its kind below its own values. Raises ConfigError for an unknown kind."""
    kind = profile.get("inherits") if isinstance(profile, dict) else None
    if not kind:
        return profile
    if kind not in kinds:
        raise ConfigError("config.unknown_kind", profile=name, kind=kind, known=", ".join(kinds))
    return _over(profile, kinds[kind])


def _over(values: Mapping[str, Any], below: Mapping[str, Any]) -> dict[str, Any]:
    """The values, and what they leave open from below."""
    made = dict(values)
    for key, value in below.items():
        if key not in made:
            made[key] = deepcopy(value)
        elif isinstance(value, Mapping) and isinstance(made[key], Mapping):
            made[key] = _over(made[key], value)
    return made


def kinds() -> dict[str, Any]:
    """The kinds of `defaults.toml`."""
    return dict(default_section(KINDS))


def read_settings_file(path: Path) -> dict[str, Any]:
    """A home's own settings, unvalidated."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("config.not_toml", path=path, detail=str(error)) from None


def _variables(environ: Mapping[str, str]) -> list[tuple[str, Keys]]:
    """`BONSAI_GATE__MODE` -> ("gate", "mode"); names without `__` (BONSAI_HOME) are not settings."""
    names = sorted(name for name in environ if name.startswith(PREFIX) and "__" in name)
    return [(name, tuple(name.removeprefix(PREFIX).lower().split("__"))) for name in names]


def _plain(value: str) -> Any:
    """Lists and tables are parsed as TOML; everything else stays text, which the models convert."""
    if not value.startswith(("[", "{")):
        return value
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return value


def _nested(keys: Keys, value: Any) -> dict[str, Any]:
    for key in reversed(keys):
        value = {key: value}
    return dict(value)


def _merge(below: dict[str, Any], above: Mapping[str, Any], origin: str, origins: dict[Keys, str], at: Keys) -> None:
    """Merge `above` into `below`, key by key."""
    for key, value in above.items():
        here = (*at, key)
        if here in RETIRED:
            continue
        origins[here] = origin
        if isinstance(value, Mapping) and isinstance(below.get(key), dict):
            _merge(below[key], value, origin, origins, here)
        else:
            below[key] = value


def _problem(detail: ErrorDetails, layers: Layers, valid_names: Callable[[Keys], Keys]) -> SettingProblem:
    keys = tuple(str(part) for part in detail["loc"])
    origin = next((layers.origins[keys[:n]] for n in range(len(keys), 0, -1) if keys[:n] in layers.origins), "")
    values = {"name": ".".join(keys), "origin": origin or "defaults.toml"}
    if detail["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        valid = valid_names(keys[:-1])
        near = get_close_matches(keys[-1], valid, n=1, cutoff=0.5)
        meant = ".".join((*keys[:-1], near[0])) if near else ", ".join(valid)
        return SettingProblem(
            "config.unknown_near" if near else "config.unknown", tuple({**values, "valid": meant}.items())
        )
    if detail["type"] == "missing":
        return SettingProblem("config.missing", tuple(values.items()))
    return SettingProblem(
        "config.bad_value", (*values.items(), ("value", repr(detail["input"])), ("valid", detail["msg"]))
    )
