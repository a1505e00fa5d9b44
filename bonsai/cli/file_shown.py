"""How a file looks in the terminal before it is taken in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bonsai.cli.records_shown import on_one_line
from bonsai.texts import text

if TYPE_CHECKING:
    from bonsai.cli.shell import Shell
    from bonsai.pipeline.records.checking import FileCheck


def show_file(shell: Shell, check: FileCheck) -> None:
    """What it was recognised as, its first records with their tags, and what is wrong with how many lines."""
    taken_as = (f"{one.name} = {one.field or '-'}" for one in check.columns)
    pairs = (
        ("format", check.format),
        ("encoding", check.encoding),
        ("delimiter", check.delimiter.replace("\t", "tab")),
        ("columns", ", ".join(taken_as)),
        ("read", check.read),
        ("rejected", check.rejected),
    )
    shell.fields(pairs)
    if check.rows:
        rows = (
            (one.line, one.language, one.category, on_one_line(one.question), on_one_line(one.answer))
            for one in check.rows
        )
        shell.table(("line", "language", "category", "question", "answer"), rows, right=(0,), clipped=(3, 4))
    if check.wrong:
        wrong = (
            (one.count, ", ".join(map(str, one.lines)), text(one.reason_key, shell.language, **dict(one.values)))
            for one in check.wrong
        )
        shell.table(("rejected", "lines", "reason"), wrong, right=(0,))
    shell.say("cli.previewed")
