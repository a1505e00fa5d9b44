"""What a check found, for `doctor` and `db check`: one line each, and an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bonsai.cli.shell import Shell


class Check(Protocol):
    """One thing that was looked at."""

    @property
    def name(self) -> str:
        """What was looked at: its text is `cli.check_<name>` where there is one."""

    @property
    def ok(self) -> bool | None:
        """None: could not be looked at, or is no fault here."""

    @property
    def detail(self) -> str:
        """What was found."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: Literal["python", "packages", "home", "settings", "disk", "gpu", "seedling", "benchmark", "prefect"]
    ok: bool | None
    detail: str


def tell(shell: Shell, findings: Sequence[Check], as_json: bool) -> int:
    """Show them; 1 when any is not ok."""
    if as_json:
        shell.json([{"name": f.name, "ok": f.ok, "detail": f.detail} for f in findings])
    else:
        marks = {True: "ok", False: "✗", None: "-"}
        shell.table(("mark", "checked", "found"), ((marks[f.ok], f.name, f.detail) for f in findings))
    return 1 if any(found.ok is False for found in findings) else 0
