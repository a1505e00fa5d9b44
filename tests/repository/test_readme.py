"""The README tells the truth: its file tree is the disk's, its commands are the command line's."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from bonsai.cli.main import commands, root, take_language

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
EXAMPLES = [line for page in PAGES for line in page.read_text("utf-8").splitlines() if line.startswith("bonsai ")]
SHOWN = ("bonsai", "storage", "flows")


def section(title: str) -> str:
    return README.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_every_command_is_listed_once() -> None:
    listed = re.findall(r"^\| `bonsai ([a-z ]+?)`", section("Commands"), re.MULTILINE)
    assert sorted(listed) == sorted(commands())


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 6


@pytest.mark.parametrize("line", EXAMPLES)
def test_every_example_can_be_typed_as_it_stands(line: str) -> None:
    words = list(take_language(shlex.split(line, comments=True)[1:]).rest)
    command, context = root(), root().make_context("bonsai", words)
    while hasattr(command, "resolve_command"):  # parsed by the real parsers, down to the verb, and not run
        name, command, words = command.resolve_command(context, words)
        context = command.make_context(name, words, parent=context)


def test_the_tree_is_the_disk() -> None:
    listed: list[str] = []
    folders: list[str] = []
    for line in section("Where things are").splitlines():
        found = re.match(r"^((?:  )*)([\w.*-]+/?)(?:\s{2,}\S.*)?$", line)
        if found is None:
            continue
        depth, name = len(found[1]) // 2, found[2]
        del folders[depth:]
        if name.endswith("/"):
            folders.append(name)
        elif name.endswith(".py"):
            listed.append("".join(folders) + name)
    tracked = subprocess.run(["git", "ls-files", *SHOWN], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    wanted = [path for path in tracked.split() if path.endswith(".py") and not path.endswith("__init__.py")]
    assert len(wanted) > 80
    assert sorted(listed) == sorted(wanted)


def test_every_line_of_the_tree_says_what_it_is() -> None:
    bare = [line for line in section("Where things are").splitlines() if re.match(r"^\s*[\w-]+\.py\s*$", line)]
    assert not bare
