"""Reads `bonsai/config/defaults.toml`, the one place of every default, also for code without a home."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any


def defaults_text(name: str = "defaults.toml") -> str:
    """The file as it is written."""
    return (resources.files("bonsai.config") / name).read_text("utf-8")


@cache
def default_section(name: str) -> dict[str, Any]:
    """One of its sections, unchecked; do not mutate it."""
    section: dict[str, Any] = tomllib.loads(defaults_text())[name]
    return section
