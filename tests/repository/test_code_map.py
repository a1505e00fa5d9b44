"""The generated documents are current: the map is the disk's, the layers the contract's, the commands the program's."""

from __future__ import annotations

import re

from bonsai.cli.main import commands
from research import docs

STALE = "run `python -m research.docs` and commit what it writes"
PAGE = docs.CODE.read_text("utf-8")
MAP = PAGE.split(docs.BEGINS, 1)[1]


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
    assert docs.with_part(PAGE, docs.code_map()) == PAGE, STALE


def test_the_commands_are_current() -> None:
    page = docs.COMMANDS.read_text("utf-8")
    assert re.findall(r"^### bonsai (.+)$", page, re.MULTILINE) == list(commands())
    assert docs.commands_page() == page, STALE


def test_the_layers_are_current() -> None:
    page = docs.ARCHITECTURE.read_text("utf-8")
    assert docs.with_part(page, docs.layers()) == page, STALE
