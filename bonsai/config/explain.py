"""Documents every setting: value, origin, default and meaning.

The meanings are the comments of `defaults.toml` and, in Japanese, `defaults.ja.toml`. A profile that does not describe
a setting shares the description of the profile before it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bonsai.config.layers import KINDS, Keys, default_values, read_layers
from bonsai.config.settings import load_config
from bonsai.errors import UsageError
from bonsai.i18n import TextLanguage
from bonsai.system.defaults import defaults_text

HIDDEN = "•••"
SECRET = re.compile(r"password|passwd|token$|secret|auth|(?:^|_)key$")
"Settings whose values are never shown; none exists today."
_SECTION = re.compile(r"\[([\w.-]+)\](?:\s*#\s*(.*))?")
_SETTING = re.compile(r"([\w-]+)\s*=\s*(?:\"[^\"]*\"|\[[^\]]*\]|[^#]*?)(?:\s*#\s*(.*))?")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting."""

    name: str
    "`gate.alpha`"
    value: Any
    default: Any
    "None if there is none: a profile that the owner added."
    origin: str
    "File or environment variable that sets it; empty for the default."
    about: str

    @property
    def section(self) -> str:
        """`gate`"""
        return self.name.rpartition(".")[0]


def explain_settings(home: Path, environ: Mapping[str, str], language: TextLanguage, name: str = "") -> list[Setting]:
    """All settings in the order of `defaults.toml`, or those of one section, or one.

    Raises ConfigError for invalid settings, UsageError for an unknown name.
    """
    load_config(home, environ)  # raises with all problems at once
    layers = read_layers(home, environ)
    defaults = dict(_flat(_defaults(), ()))
    settings = [
        Setting(
            ".".join(keys),
            _shown(keys, value),
            _shown(keys, defaults.get(keys)),
            _origin(keys, layers.origins, keys in defaults),
            about(keys, language),
        )
        for keys, value in _flat(layers.values, ())
    ]
    matching = [one for one in settings if not name or one.name == name or one.name.startswith(f"{name}.")]
    if not matching:
        sections = ", ".join(dict.fromkeys(one.name.partition(".")[0] for one in settings))
        raise UsageError("settings.unknown", name=name, valid=sections)
    return matching


def about(keys: Keys, language: TextLanguage) -> str:
    """Meaning of a setting in one line; English if there is no Japanese."""
    japanese = _japanese() if language == "ja" else {}
    for descriptions in (japanese, _comments()):
        if keys in descriptions:
            return descriptions[keys]
        if keys[0] == "profiles":  # profiles share their settings
            shared = ("profiles", KINDS)
            same = [text for other, text in descriptions.items() if other[0] in shared and other[2:] == keys[2:]]
            if same:
                return same[0]
    return ""


def _flat(values: Mapping[str, Any], at: Keys) -> Iterator[tuple[Keys, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, (*at, name))
        else:
            yield (*at, name), value


def _shown(keys: Keys, value: Any) -> Any:
    return HIDDEN if SECRET.search(keys[-1]) and value is not None else value


def _origin(keys: Keys, origins: Mapping[Keys, str], has_default: bool) -> str:
    """Origin of the value itself; without a default, of the table that contains it."""
    at = (keys,) if has_default else (keys[:n] for n in range(len(keys), 0, -1))
    return next((origins[one] for one in at if one in origins), "")


@cache
def _defaults() -> dict[str, Any]:
    return default_values()


@cache
def _comments() -> dict[Keys, str]:
    """The comment behind each setting of `defaults.toml`."""
    found: dict[Keys, str] = {}
    section: Keys = ()
    for line in defaults_text().splitlines():
        heading, setting = _SECTION.fullmatch(line.strip()), _SETTING.fullmatch(line.strip())
        if heading:
            section = tuple(heading[1].split("."))
        elif setting and setting[2]:
            found[(*section, setting[1])] = setting[2]
    return found


@cache
def _japanese() -> dict[Keys, str]:
    return {keys: str(text) for keys, text in _flat(tomllib.loads(defaults_text("defaults.ja.toml")), ())}
