"""Writes the generated documents: `python -m research.docs`.

The map in `docs/code.md` and the layers in `docs/architecture.md` quote the first sentence of each module docstring;
`docs/cli.md` is made from the help pages of the commands. A test compares the documents with the code
(`tests/repository/test_code_map.py`).
"""

from __future__ import annotations

import ast
import contextlib
import io
import os
import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from bonsai.cli.help import Root
from bonsai.cli.main import run
from research.__main__ import Research

ROOT = Path(__file__).parents[1]
CODE, COMMANDS, ARCHITECTURE = ROOT / "docs/code.md", ROOT / "docs/cli.md", ROOT / "docs/architecture.md"
ROOMS = ("bonsai", "storage", "flows", "research", "benchmarks")
BEGINS, ENDS = "<!-- made by python -m research.docs -->\n", "<!-- end -->\n"
HEAD = """\
# Commands

Made by `python -m research.docs` from the help pages of the program: `bonsai NOUN VERB --help` says the same, and with
`--lang ja` in Japanese.

Every command takes `--lang en|ja` and `--help`. `$BONSAI_HOME` (default `~/.bonsai`) says which home is meant. Exit
codes: 0 done, 1 failed, 2 wrong command line, 130 interrupted.
"""
EVERYWHERE = ("--lang en|ja", "--help")
"Options of every command, listed once."


def main() -> None:
    """Write all documents."""
    CODE.write_text(with_part(CODE.read_text("utf-8"), code_map()), "utf-8")
    ARCHITECTURE.write_text(with_part(ARCHITECTURE.read_text("utf-8"), layers()), "utf-8")
    COMMANDS.write_text(commands_page(), "utf-8")


def python_files() -> list[str]:
    """Existing Python files, tracked or not ignored, by package."""
    names = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *ROOMS]
    listed = subprocess.run(names, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = {name for name in listed.splitlines() if name.endswith(".py") and (ROOT / name).exists()}
    return sorted(found, key=lambda name: (ROOMS.index(name.partition("/")[0]), *name.rpartition("/")[::2]))


def first_sentence(path: Path) -> str:
    """First sentence of a module's docstring, on one line; may be empty."""
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    text = re.sub(r":\n\n(?=\S)", ": ", docstring).partition("\n\n")[0].replace("\n", " ")
    return re.split(r"(?<=[.?!])\s+(?=[A-Z`])", text, maxsplit=1)[0]


def with_part(page: str, part: Iterable[str]) -> str:
    """The page with the part between its marks replaced."""
    before, rest = page.split(BEGINS, 1)
    after = rest.split(ENDS, 1)[1]
    return before + BEGINS + "\n" + "\n".join(part) + ENDS + after


def layers() -> Iterator[str]:
    """The layers of the import contract, from the top, as a table."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    yield "| layer | what it is |"
    yield "|---|---|"
    for layer in contracts[0]["layers"]:
        for name in layer.split(" | "):
            path = ROOT / name.replace(".", "/")
            about = first_sentence(path / "__init__.py" if path.is_dir() else path.with_suffix(".py"))
            yield f"| `{name}` | {about} |"
    yield ""


def code_map() -> Iterator[str]:
    """A heading with its purpose for each folder, and a line for each file."""
    names = python_files()
    for folder in dict.fromkeys(name.rpartition("/")[0] for name in names):
        package = ROOT / folder / "__init__.py"
        level = "###" if folder.count("/") < 2 else "####"
        yield f"{level} {folder}/"
        yield ""
        if package.exists() and first_sentence(package):
            yield first_sentence(package)
            yield ""
        files = [name for name in names if name.rpartition("/")[0] == folder and not name.endswith("/__init__.py")]
        for name in files:
            yield f"- [{name.rpartition('/')[2]}](../{name}): {first_sentence(ROOT / name)}"
        if files:
            yield ""


def commands_page() -> str:
    """`docs/cli.md`: every command with its arguments and options, from the help pages."""
    lines = [HEAD]
    for heading, program, nouns in _groups():
        lines += [f"## {heading}", ""]
        for noun in nouns:
            for words in _verbs(program, noun):
                lines += _command(program, words)
    return "\n".join(lines).rstrip("\n") + "\n"


def _groups() -> Iterator[tuple[str, type[Root], tuple[str, ...]]]:
    from bonsai.i18n import text

    for key, nouns in Root.nouns:
        yield text(key, "en"), Root, nouns
    for _, nouns in Research.nouns:
        yield "From a checkout: `python -m research`", Research, nouns


def _verbs(program: type[Root], noun: str) -> list[tuple[str, ...]]:
    verbs = getattr(program.make().get_command(None, noun), "commands", None)
    return [(noun, verb) for verb in verbs] if verbs else [(noun,)]


def _command(program: type[Root], words: tuple[str, ...]) -> Iterator[str]:
    usage, about, *rest = [block for block in _help_of(program, words).split("\n\n") if block.strip()]
    yield f"### {' '.join([program.program, *words])}"
    yield ""
    yield " ".join(about.split())
    yield ""
    yield "```"
    yield usage.split(": ", 1)[1].strip()
    yield "```"
    yield ""
    rows = []
    for block in rest:
        for row in block.splitlines()[1:]:
            name, _, said = row.strip().partition("  ")
            if name not in EVERYWHERE:
                rows.append(f"- `{name}`: {said.strip()}")
    if rows:
        yield from rows
        yield ""


def _help_of(program: type[Root], words: tuple[str, ...]) -> str:
    """A help page, wide enough that no line wraps."""
    said = io.StringIO()
    columns = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "1000"  # rich reads the process's own environment
    try:
        with contextlib.redirect_stdout(said):
            run([*words, "--help", "--lang", "en"], {"BONSAI_HOME": os.devnull}, program)
    finally:
        if columns is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = columns
    return "\n".join(line.rstrip() for line in said.getvalue().splitlines())


if __name__ == "__main__":
    main()
