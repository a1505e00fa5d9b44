"""The documents tell the truth: what they say to type can be typed, where they point to something is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from bonsai.cli.help import Root
from bonsai.cli.main import root, take_language
from research.__main__ import Research

ROOT = Path(__file__).parents[2]
PAGES = (*sorted(ROOT.glob("README*.md")), *sorted((ROOT / "docs").glob("*.md")))
GENERATED = ROOT / "docs" / "cli.md"
PROGRAMS: dict[str, type[Root]] = {"bonsai ": Root, "python -m research ": Research}
EXAMPLES = [
    (program, line)
    for page in PAGES
    if page != GENERATED  # its usages are patterns, and come from the parsers
    for line in page.read_text("utf-8").splitlines()
    for program in PROGRAMS
    if line.startswith(program)
]
SCHEME = re.compile(r"^[a-z]+:")


def anchors(page: Path) -> set[str]:
    """The headings of a page, as GitHub names them in addresses."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 6


@pytest.mark.parametrize(("program", "line"), EXAMPLES)
def test_every_example_can_be_typed_as_it_stands(program: str, line: str) -> None:
    words = list(take_language(shlex.split(line.removeprefix(program), comments=True)).rest)
    command = root() if program == "bonsai " else PROGRAMS[program].make()
    context = command.make_context(program.strip(), words)
    while hasattr(command, "resolve_command"):  # parsed by the real parsers, down to the verb, and not run
        name, command, words = command.resolve_command(context, words)
        context = command.make_context(name, words, parent=context)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if SCHEME.match(target):
            continue
        file, _, anchor = target.partition("#")
        found = (page.parent / file).resolve() if file else page
        if not found.exists() or (anchor and found.suffix == ".md" and anchor not in anchors(found)):
            broken.append(target)
    assert broken == []


def test_the_readmes_name_each_other_in_their_first_line() -> None:
    for mine, other in (("README.md", "README.ja.md"), ("README.ja.md", "README.md")):
        assert f"]({other})" in (ROOT / mine).read_text("utf-8").splitlines()[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(
        r"(?<![\w./])((?:bonsai|storage|flows|research|tests|benchmarks)/[\w./-]*\w)", page.read_text("utf-8")
    )
    modules = re.findall(r"`((?:bonsai|storage|flows|research)(?:\.\w+)+)`", page.read_text("utf-8"))
    missing = {name for name in named if not (ROOT / name).exists()}
    missing |= {name for name in modules if not _is_a_module_or_in_one(name)}
    assert missing == set()


def _is_a_module_or_in_one(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    inside = path.parent
    return any((one.with_suffix(".py")).exists() or one.is_dir() for one in (path, inside))
