"""`bonsai`: the command line, and the only place where an error becomes a message and an exit code.

0 success, 1 failure, 2 usage error, 130 interrupted. `--lang` is accepted anywhere and removed before the commands are
parsed, because help and usage errors need it too.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import typer
from typer import core
from typer._click import exceptions as click_errors  # typer 0.29 vendors click; its usage errors have no public name
from typer.exceptions import TyperException

from bonsai.cli.help import Root
from bonsai.cli.shell import Shell, choose_language, standard_shell
from bonsai.config.layers import home_of
from bonsai.errors import BonsaiError
from bonsai.i18n import TEXT_LANGUAGES

INTERRUPTED = 130
BROKEN_PIPE = 141


@dataclass(frozen=True, slots=True)
class Arguments:
    """The command line without `--lang`."""

    rest: tuple[str, ...]
    language: str | None
    "As given, unchecked."


def main() -> None:
    """The console script."""
    raise SystemExit(run(sys.argv[1:], os.environ))


FILE_PROBLEMS = {
    errno.EROFS: "read_only",
    errno.EACCES: "forbidden",
    errno.EPERM: "forbidden",
    errno.EISDIR: "is_folder",
    errno.ENOTDIR: "is_no_folder",
    errno.ENOSPC: "no_space",
    errno.EDQUOT: "no_space",
    errno.ENAMETOOLONG: "name_too_long",
}
"What the world does to files that a person named; every other error of theirs is a mistake of ours."


def run(argv: Sequence[str], environ: Mapping[str, str], root: type[Root] = Root) -> int:
    """Run one command line and return its exit code. Every expected error becomes one line here.

    `root` is another set of commands, for `python -m research`.
    """
    arguments = take_language(argv)
    home = home_of(environ)
    shell = standard_shell(choose_language(arguments.language, home, environ), home, environ)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a Latin-1 terminal shows ? for Japanese instead of failing
    if arguments.language is not None and arguments.language not in TEXT_LANGUAGES:
        shell.complain("cli.error", message=shell.text("cli.bad_language", value=arguments.language))
        return 2
    try:
        code = _run(shell, root.make(), arguments.rest)
        shell.out.flush()
        return code
    except BonsaiError as error:
        return shell.fail(error)
    except OSError as error:
        if error.errno not in FILE_PROBLEMS or error.filename is None:
            raise  # a mistake of ours
        path, reason = error.filename2 or error.filename, shell.text(f"cli.file_{FILE_PROBLEMS[error.errno]}")
        shell.complain("cli.error", message=shell.text("cli.file_problem", path=path, reason=reason))
        return 1
    except KeyboardInterrupt:
        shell.complain("cli.interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the interpreter complains at exit
        return BROKEN_PIPE


def _run(shell: Shell, root: Root, argv: Sequence[str]) -> int:
    try:
        code = root.main(list(argv), prog_name=root.name, standalone_mode=False, obj=shell)
    except click_errors.NoArgsIsHelpError:
        return 2  # the help page was already printed
    except (TyperException, typer.Abort) as error:
        shell.complain("cli.error", message=usage_problem(error, shell))
        return 2
    return code if isinstance(code, int) else 0


def usage_problem(error: Exception, shell: Shell) -> str:
    """The usage error in the caller's language."""
    match error:
        case click_errors.NoSuchOption():
            near = ", ".join(error.possibilities or ()) or "--help"
            return shell.text("cli.no_such_option", name=error.option_name, valid=near)
        case click_errors.MissingParameter() if error.param is not None:
            return shell.text("cli.missing_parameter", name=error.param.get_error_hint().strip("'"))
        case click_errors.BadParameter(param=core.TyperOption() as option) if _is_number(option):
            return _bad_number(option, error.__cause__, shell)
        case click_errors.BadParameter() if error.param is not None:
            return shell.text("cli.bad_parameter", name=error.param.get_error_hint().strip("'"), detail=error.message)
        case TyperException():
            return error.format_message()
        case _:
            return shell.text("cli.interrupted")


def _is_number(option: core.TyperOption) -> bool:
    return option.type_descriptor.annotation in (int, float)


def _bad_number(option: core.TyperOption, cause: BaseException | None, shell: Shell) -> str:
    """Typer has pydantic's English sentence for it; pydantic keeps what was given."""
    from pydantic import ValidationError

    given = repr(cause.errors()[0]["input"]) if isinstance(cause, ValidationError) else ""
    least, most = option.min, option.max
    form = "cli.numbers" if least is None else "cli.numbers_from" if most is None else "cli.numbers_between"
    return shell.text(
        "cli.not_one_of", name=option.opts[-1], value=given, valid=shell.text(form, least=least, most=most)
    )


def take_language(argv: Sequence[str]) -> Arguments:
    """Split `--lang x` / `--lang=x` from the rest; everything after `--` is left alone."""
    rest: list[str] = []
    language = None
    words = iter(argv)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word == "--lang":
            language = next(words, "")
        elif word.startswith("--lang="):
            language = word.partition("=")[2]
        else:
            rest.append(word)
    return Arguments(tuple(rest), language)


def root() -> Root:
    """The command `bonsai`."""
    return Root.make()


def commands() -> tuple[str, ...]:
    """Every command as typed after `bonsai`: "init", "records add", ... Imports all nouns; for tests of the docs."""
    group = root()
    found: list[str] = []
    for name in group.list_commands(None):
        verbs = getattr(group.get_command(None, name), "commands", None)
        found += [f"{name} {verb}" for verb in verbs] if verbs else [name]
    return tuple(found)


if __name__ == "__main__":
    main()
