"""Context of every command: home, language, clock and output.

Imports nothing slow: rich is loaded by the first table, the home by the first command that opens it.
"""

from __future__ import annotations

import dataclasses
import getpass
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO, TypeVar

import typer

from bonsai.errors import BonsaiError, UsageError
from bonsai.i18n import TEXT_LANGUAGES, TextLanguage, text

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from bonsai.config.settings import Config
    from bonsai.context import Bonsai


AsJson = Annotated[bool, typer.Option("--json", help="cli.opt_json")]
Choice = TypeVar("Choice", bound=str)
By = Annotated[str, typer.Option("--by", help="cli.opt_by", show_default=False)]


@dataclass(frozen=True, slots=True)
class Shell:
    """One call of `bonsai`: made by `main`, available as `ctx.obj`."""

    home: Path
    environ: Mapping[str, str]
    language: TextLanguage
    out: TextIO
    err: TextIO

    def open(self) -> Bonsai:
        """Open the home. Raises HomeError if there is none."""
        from bonsai import bootstrap

        return bootstrap.open(self.home, self.environ)

    def config(self) -> Config:
        """Settings only; needs no home."""
        from bonsai.config.settings import load_config

        return load_config(self.home, self.environ)

    def now(self) -> datetime:
        """The CLI's only clock."""
        return datetime.now(UTC)

    def person(self, by: str) -> str:
        """Acting person: as given, else the logged-in user."""
        return by or self.environ.get("USER") or getpass.getuser()

    def text(self, key: str, /, **values: Any) -> str:
        """A localised text."""
        return text(key, self.language, **values)

    def say(self, key: str, /, **values: Any) -> None:
        """Print a localised text as one line."""
        self.line(self.text(key, **values))

    def line(self, line: str) -> None:
        """Print a finished line."""
        self.out.write(f"{line}\n")

    def complain(self, key: str, /, **values: Any) -> None:
        """Print a warning or note on stderr."""
        self.err.write(f"{self.text(key, **values)}\n")

    def agreed(self, key: str) -> bool:
        """Ask on stderr and read a line: whether a person said yes. The end of the input is a no."""
        self.err.write(f"{self.text(key)} ")
        self.err.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes", "はい")

    def fail(self, error: BonsaiError) -> int:
        """Print an error as one line; returns the exit code."""
        self.err.write(self.text("cli.error", message=error.render(self.language)) + "\n")
        return error.exit_code

    def json(self, value: object) -> None:
        """Print one indented JSON object."""
        self.line(json.dumps(value, ensure_ascii=False, indent=2, default=plain))

    def json_lines(self, values: Iterable[object]) -> None:
        """Print JSON Lines."""
        for value in values:
            self.line(json.dumps(value, ensure_ascii=False, default=plain))

    def console(self) -> Console:
        """A rich console on stdout, as wide as the terminal or COLUMNS."""
        from rich.console import Console

        return Console(file=self.out, highlight=False, markup=False, emoji=False)

    def show(self, renderable: RenderableType) -> None:
        """Print a table or a panel."""
        self.console().print(renderable)

    def table(
        self,
        headings: Sequence[str],
        rows: Iterable[Sequence[object]],
        right: Sequence[int] = (),
        clipped: Sequence[int] = (),
    ) -> None:
        """Rows under translated headings (`cli.col_<heading>`).

        `right` names right-aligned columns; `clipped` columns share the remaining width and are cut to it.
        """
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, expand=bool(clipped))
        for number, heading in enumerate(headings):
            table.add_column(
                self.text(f"cli.col_{heading}"),
                justify="right" if number in right else "left",
                no_wrap=number in right or number in clipped,
                overflow="ellipsis" if number in clipped else "fold",
                ratio=1 if number in clipped else None,
            )
        for row in rows:
            table.add_row(*(shown(cell) for cell in row))
        self.show(table)

    def bullets(self, texts: Iterable[str]) -> None:
        """A bullet list with hanging indents."""
        from rich.table import Table

        grid = Table.grid(padding=(0, 1))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for one in texts:
            grid.add_row(" ·", one)
        self.show(grid)

    def fields(self, pairs: Iterable[tuple[str, object]]) -> None:
        """One field per line; empty fields are left out."""
        from rich.table import Table

        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="bold", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in pairs:
            if value not in ("", None, ()):
                grid.add_row(self.text(f"cli.col_{name}"), shown(value))
        self.show(grid)


def shell_of(ctx: typer.Context) -> Shell:
    """The shell of this call."""
    shell = ctx.find_root().obj
    if not isinstance(shell, Shell):
        raise TypeError("bonsai.cli commands are run by bonsai.cli.main.main")
    return shell


def choose_language(said: str | None, home: Path, environ: Mapping[str, str]) -> TextLanguage:
    """`--lang`, else the setting `cli.language`, else the locale, else English.

    Reads the settings unchecked: `--help` must work even with an invalid setting.
    """
    requested = said or environ.get("BONSAI_CLI__LANGUAGE") or _language_of_home(home)
    if requested in (None, "", "auto"):
        requested = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "en")
    return next((language for language in TEXT_LANGUAGES if str(requested).lower().startswith(language)), "en")


def _language_of_home(home: Path) -> str | None:
    path = home / "bonsai.toml"
    if not path.is_file():
        return None
    from bonsai.config.layers import read_settings_file
    from bonsai.errors import ConfigError

    try:
        section = read_settings_file(path).get("cli", {})
    except ConfigError:
        return None
    return str(section["language"]) if isinstance(section, dict) and "language" in section else None


def one_of(value: str, valid: Sequence[Choice], name: str) -> Choice:
    """`value` (given for `name`) as one of `valid`. Raises UsageError otherwise."""
    for choice in valid:
        if choice == value:
            return choice
    raise UsageError("cli.not_one_of", name=name, value=value, valid=", ".join(filter(None, valid)))


def plain(value: object) -> object:
    """`json.dumps(default=...)`: schemas, dataclasses, dates, paths and enums as JSON values."""
    from pydantic import BaseModel

    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Path | Enum):
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def shown(cell: object) -> str:
    """A table cell: times in UTC to the minute, numbers with three digits, nothing for None."""
    match cell:
        case None:
            return ""
        case bool():
            return "✓" if cell else "✗"
        case datetime():
            return cell.strftime("%Y-%m-%d %H:%M")
        case float():
            return f"{cell:.3f}"
        case tuple() | list():
            return ", ".join(shown(item) for item in cell)
        case _:
            return str(cell)


def standard_shell(language: TextLanguage, home: Path, environ: Mapping[str, str]) -> Shell:
    """The shell of a real call."""
    return Shell(home, environ, language, sys.stdout, sys.stderr)
