"""The generated documents are current: the map of `docs/code.md` is the disk's, `docs/cli.md` is the program's."""

from __future__ import annotations

import re
import tomllib

from bonsai.cli.main import commands
from research import docs

STALE = "run `python -m research.docs` and commit what it writes"
PAGE = docs.CODE.read_text("utf-8")
MAP = PAGE.split(docs.MAP_BEGINS, 1)[1]


def test_every_file_is_listed_once() -> None:
    listed = re.findall(r"^- \[[^]]+\]\(\.\./([^)]+\.py)\): ", MAP, re.MULTILINE)
    wanted = [name for name in docs.python_files() if not name.endswith("/__init__.py")]
    assert len(wanted) > 200
    assert sorted(listed) == sorted(wanted), STALE


def test_every_line_says_what_the_file_is() -> None:
    lines = [line for line in MAP.splitlines() if line.startswith("- ")]
    assert [line for line in lines if not re.fullmatch(r"- \[\S+\]\(\S+\): \S.{8,}", line)] == []


def test_no_two_files_say_the_same() -> None:
    said: dict[str, list[str]] = {}
    for name in docs.python_files():
        if not name.endswith("/__init__.py"):
            said.setdefault(docs.first_sentence(docs.ROOT / name), []).append(name)
    assert [names for names in said.values() if len(names) > 1] == []


def test_the_map_is_current() -> None:
    assert docs.with_map(PAGE) == PAGE, STALE


def test_the_commands_are_current() -> None:
    page = docs.COMMANDS.read_text("utf-8")
    assert re.findall(r"^### bonsai (.+)$", page, re.MULTILINE) == list(commands())
    assert docs.commands_page() == page, STALE


def test_the_layers_are_those_of_the_contract() -> None:
    contracts = tomllib.loads((docs.ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    wanted = [one for layer in contracts[0]["layers"] for one in layer.split(" | ")]
    block = (docs.ROOT / "docs/architecture.md").read_text("utf-8").split("```")[1]
    assert [line.split()[0] for line in block.strip().splitlines()] == wanted
