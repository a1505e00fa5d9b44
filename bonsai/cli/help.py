"""Commands with localised help, and groups that import a noun's module on demand.

Help texts are keys ("cli.records_add") until displayed, so one command object serves English and Japanese. Layout and
headings are ours, because typer's are English only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Self, TypeVar

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from bonsai.cli.shell import shell_of
from bonsai.errors import UsageError
from bonsai.i18n import text

Function = TypeVar("Function", bound=Callable[..., None])
Rows = list[tuple[str, str]]


def noun() -> typer.Typer:
    """The typer app of a noun's module."""
    return typer.Typer(cls=Group, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def verb(app: typer.Typer, help_key: str, name: str | None = None) -> Callable[[Function], Function]:
    """Decorator: a command of `app` whose help is the text `help_key`."""
    return app.command(name, cls=Command, help=help_key)


class Command(TyperCommand):
    """A command that looks up its help when displayed."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help page; the formatter stays empty."""
        _show_help(self, ctx, [])


class Group(TyperGroup):
    """A noun; its help page lists its verbs."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help page; the formatter stays empty."""
        language = shell_of(ctx).language
        rows = [(name, text(str(command.help), language)) for name, command in self.commands.items()]
        _show_help(self, ctx, [("cli.help_commands", rows)])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As in typer, but with a localised error for an unknown name."""
        valid = self.list_commands(ctx)
        if args and not args[0].startswith("-") and args[0] not in valid:
            near = get_close_matches(args[0], valid, n=1)
            raise UsageError("cli.no_such_command", name=args[0], valid=near[0] if near else ", ".join(valid))
        return super().resolve_command(ctx, args)


class Root(Group):
    """The root command: knows the nouns by name and imports the one that is called."""

    program = "bonsai"
    about = "cli.bonsai"
    module = "bonsai.cli.{noun}"
    "Module of a noun."
    nouns: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("cli.help_start", ("init", "demo", "doctor", "up", "dashboard")),
        ("cli.help_records", ("records", "tags", "inbox")),
        ("cli.help_nights", ("snapshots", "night", "benchmark", "gate", "promotions")),
        ("cli.help_model", ("ask", "asked", "adapters", "base", "seedling")),
        ("cli.help_home", ("db", "config", "users", "tokens")),
    )

    @classmethod
    def make(cls) -> Self:
        """Create the root command."""
        return cls(name=cls.program, help=cls.about, no_args_is_help=True)

    def list_commands(self, ctx: Any) -> list[str]:
        """All nouns, in help page order."""
        return [name for _, names in self.nouns for name in names]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import a noun's module; None for an unknown name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        if cmd_name not in self.commands:
            app: typer.Typer = import_module(self.module.format(noun=cmd_name)).app
            command = typer.main.get_command(app)
            command.name, command.help = cmd_name, f"cli.{cmd_name}"
            self.add_command(command)
        return self.commands[cmd_name]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """List the nouns by group, without importing any."""
        language = shell_of(ctx).language
        sections = [(key, [(name, text(f"cli.{name}", language)) for name in names]) for key, names in self.nouns]
        _show_help(self, ctx, sections)


def _show_help(command: TyperCommand | TyperGroup, ctx: Any, sections: list[tuple[str, Rows]]) -> None:
    shell = shell_of(ctx)
    usage = " ".join([ctx.command_path, *_usage_pieces(command)])
    console = shell.console()
    console.print(f"{shell.text('cli.help_usage')} {usage}", soft_wrap=True)
    about = text(str(command.help), shell.language) if command.help else ""
    if about:
        console.print(f"\n{about}")
    for heading, rows in [*sections, *_parameters(command, ctx)]:
        if rows:
            console.print(f"\n{shell.text(heading)}", style="bold")
            console.print(_grid(rows))


def _usage_pieces(command: TyperCommand | TyperGroup) -> Iterable[str]:
    if isinstance(command, TyperGroup):
        yield "COMMAND ..."
        return
    yield "[OPTIONS]"
    for parameter in command.params:
        if isinstance(parameter, TyperArgument):
            name = _argument_name(parameter)
            yield name if parameter.required else f"[{name}]"


def _argument_name(parameter: TyperArgument) -> str:
    name = parameter.metavar or str(parameter.name).upper()
    return name if parameter.nargs == 1 else f"{name}..."


def _parameters(command: TyperCommand | TyperGroup, ctx: Any) -> list[tuple[str, Rows]]:
    """Rows of arguments and of options, localised."""
    shell = shell_of(ctx)
    arguments: Rows = []
    options: Rows = []
    for parameter in command.params:
        if isinstance(parameter, TyperArgument):
            arguments.append((_argument_name(parameter), shell.text(str(parameter.help))))
        elif isinstance(parameter, TyperOption) and not parameter.hidden:
            about = shell.text(str(parameter.help)) + _default_of(parameter, shell.language)
            options.append((_option_name(parameter), about))
    options.append(("--lang en|ja", shell.text("cli.opt_lang")))
    options.append(("--help", shell.text("cli.opt_help")))
    return [("cli.help_arguments", arguments), ("cli.help_options", options)]


def _option_name(parameter: TyperOption) -> str:
    names = ", ".join(parameter.opts)
    if parameter.is_flag:
        return " / ".join([names, *parameter.secondary_opts])
    return f"{names} {parameter.metavar or str(parameter.name).upper()}"


def _default_of(parameter: TyperOption, language: Any) -> str:
    default = parameter.default
    if parameter.is_flag or not parameter.show_default or default in (None, "", (), []):
        return ""
    return text("cli.help_default", language, value=str(default))


def _grid(rows: Rows) -> Any:
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, about in rows:
        grid.add_row(f"  {name}", about)
    return grid
