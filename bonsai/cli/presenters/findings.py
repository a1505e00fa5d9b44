"""Presenter of check results, for `doctor` and `db check`: one line each, and an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bonsai.cli.shell import Shell


class Check(Protocol):
    """Result of one check."""

    @property
    def name(self) -> str:
        """What was checked; its text is `cli.check_<name>` if there is one."""

    @property
    def ok(self) -> bool | None:
        """None: could not be checked, or is no fault here."""

    @property
    def detail(self) -> str:
        """What was found."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one check."""

    name: Literal["python", "packages", "home", "settings", "disk", "gpu", "seedling", "base", "benchmark", "prefect"]
    ok: bool | None
    detail: str


def tell(shell: Shell, findings: Sequence[Check], as_json: bool) -> int:
    """Print the results; returns 1 if any failed."""
    if as_json:
        shell.json([{"name": f.name, "ok": f.ok, "detail": f.detail} for f in findings])
    else:
        marks = {True: "ok", False: "✗", None: "-"}
        shell.table(("mark", "checked", "found"), ((marks[f.ok], f.name, f.detail) for f in findings))
    return 1 if any(found.ok is False for found in findings) else 0
