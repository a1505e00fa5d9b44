"""Settings page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from bonsai.config.explain import Setting, explain_settings
from bonsai.web.request import Admin


@dataclass(frozen=True, slots=True)
class SettingRow:
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
    """One section of the settings file."""

    name: str
    changed: int
    rows: tuple[SettingRow, ...]


def row(one: Setting) -> SettingRow:
    """One row."""
    return SettingRow(
        one.name, one.name.rpartition(".")[2], _text(one.value), _text(one.default), one.origin, one.about
    )


def sections(found: Sequence[Setting]) -> list[Section]:
    """In file order."""
    made = []
    for name, group in groupby(found, key=lambda one: one.section):
        held = list(group)
        made.append(Section(name, sum(bool(one.origin) for one in held), tuple(row(one) for one in held)))
    return made


def _text(value: Any) -> str:
    """TOML form without quotation marks."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(_text(one) for one in value)
    return "" if value is None else str(value)


router = APIRouter()


@router.get("/settings")
def show(visit: Admin) -> Response:
    """Reads the settings on every view, as commands and nights do."""
    found = explain_settings(visit.b.home, visit.site.environ, visit.language)
    return visit.page(
        "settings/settings.html",
        file=visit.b.places.settings_file,
        sections=sections(found),
        changed=[row(one) for one in found if one.origin],
    )
