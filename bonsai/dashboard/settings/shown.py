"""Values -> what the page of settings shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from bonsai.config_explained import Setting


@dataclass(frozen=True, slots=True)
class Row:
    """One setting as text."""

    name: str
    key: str
    "Without its section."
    value: str
    default: str
    origin: str
    about: str


@dataclass(frozen=True, slots=True)
class Section:
    """The settings under one heading of the file."""

    name: str
    changed: int
    rows: tuple[Row, ...]


def row(one: Setting) -> Row:
    """One line."""
    return Row(one.name, one.name.rpartition(".")[2], _text(one.value), _text(one.default), one.origin, one.about)


def sections(found: Sequence[Setting]) -> list[Section]:
    """In the order of the file."""
    made = []
    for name, group in groupby(found, key=lambda one: one.section):
        held = list(group)
        made.append(Section(name, sum(bool(one.origin) for one in held), tuple(row(one) for one in held)))
    return made


def _text(value: Any) -> str:
    """As it stands in TOML, without quotation marks."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(_text(one) for one in value)
    return "" if value is None else str(value)
