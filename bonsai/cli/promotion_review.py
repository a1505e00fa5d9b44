"""A blind review in the terminal: one question, one key; or JSON lines out and choices in, for a script."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bonsai.cli.promotion_evidence import tally_object
from bonsai.cli.records_shown import short
from bonsai.cli.shell import Shell

if TYPE_CHECKING:
    from bonsai.pipeline import Bonsai, Standing
    from bonsai.review import Blind

KEYS = {
    "l": "left", "1": "left", "\x1b[D": "left", "r": "right", "2": "right", "\x1b[C": "right",
    "s": "same", "=": "same", "\x1b[B": "same", "u": "undo", "\x7f": "undo",
    "q": "quit", "\x1b": "quit",
}  # fmt: skip
WORDS = {"left": "left", "right": "right", "same": "same", "undo": "undo", "quit": "quit"}


def run(shell: Shell, bonsai: Bonsai, promotion: str, person: str, *, as_json: bool) -> None:
    """Ask until the round is finished or the person stops; every verdict is kept at once."""
    from bonsai import pipeline

    standing = pipeline.review_standing(bonsai, promotion, person)
    while (asked := standing.question) is not None:
        _show(shell, standing, asked, as_json)
        chosen = _choice(shell)
        if chosen == "quit":
            break
        if chosen == "undo":
            standing = pipeline.take_back_verdict(bonsai, standing.adapter, person) if standing.done else standing
            continue
        standing = pipeline.give_verdict(bonsai, standing.adapter, person, asked.item, chosen, shell.now())
    _end(shell, standing, as_json)


def _show(shell: Shell, standing: Standing, asked: Blind, as_json: bool) -> None:
    if as_json:
        place = {"number": standing.done + 1, "asked": standing.asked}
        shell.json_lines([place | {name: getattr(asked, name) for name in ("item", "question", "left", "right")}])
        shell.out.flush()
        return
    from rich.padding import Padding
    from rich.table import Table

    shell.show(f"\n{shell.text('review.progress', number=standing.done + 1, asked=standing.asked)}\n{asked.question}")
    sides = Table.grid(padding=(0, 2), expand=True)
    for _ in range(2):
        sides.add_column(ratio=1, overflow="fold")
    sides.add_row(shell.text("review.answer_1"), shell.text("review.answer_2"), style="bold")
    sides.add_row(*(said.strip() or shell.text("review.nothing_said") for said in (asked.left, asked.right)))
    shell.show(Padding(sides, (0, 0, 0, 4)))
    shell.say("review.key_hint")


def _choice(shell: Shell) -> str:
    """left, right, same, undo or quit; a line of what is piped in, else one key."""
    while True:
        said = _key() if sys.stdin.isatty() else sys.stdin.readline()
        if not said:
            return "quit"
        word = said.strip() or said
        chosen = WORDS.get(word.lower()) or KEYS.get(word.lower()) or KEYS.get(word)
        if chosen:
            return chosen
        shell.complain("review.key_unknown")


def _key() -> str:
    """One key of the terminal, arrows as their escape sequences; nothing for Ctrl-D."""
    import typer

    try:
        return typer.getchar()
    except EOFError:
        return ""


def _end(shell: Shell, standing: Standing, as_json: bool) -> None:
    """The result, or how to go on."""
    if as_json:
        told = tally_object(standing.tally) if standing.tally else None
        finished = standing.question is None
        place = {"adapter": standing.adapter, "done": standing.done, "asked": standing.asked, "finished": finished}
        shell.json_lines([place | {"result": told}])
    elif standing.tally:
        from bonsai.review import words

        shell.show("\n" + " ".join(words(standing.tally, shell.language)))
    elif standing.question is None:
        shell.say("review.nothing_to_ask")
    else:
        adapter = short(standing.adapter)
        shell.say("review.interrupted", done=standing.done, asked=standing.asked, adapter=adapter)
