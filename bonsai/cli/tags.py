"""`bonsai tags review`: tag uncertain records one after another."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from bonsai.cli.help import noun, verb
from bonsai.cli.shell import AsJson, By, Shell, shell_of

if TYPE_CHECKING:
    from bonsai.actions.tag import UncertainTags
    from bonsai.context import Bonsai
    from bonsai.domain.records import Record
    from bonsai.ingest.tags.category import CategoryTagger
    from bonsai.schemas.records import TagTurn


app = noun()
LANGUAGES = {"j": "ja", "e": "en", "z": "zh", "o": "other"}


@app.callback()
def tags() -> None:
    """Makes the app a group: with a single command, typer would drop the verb."""


@dataclass(frozen=True, slots=True)
class Said:
    """A parsed line of input."""

    language: str | None = None
    category: str | None = None
    move: str = ""
    "`s` skip, `b` back, `u` undo, `q` quit; empty: tag the record."
    wrong: str = ""
    "An invalid key."


@verb(app, "cli.tags_review")
def review(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", help="cli.opt_limit", min=0, show_default=False)] = 0,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Reads a line per record; with `--json` only lists records with suggestions, and changes nothing."""
    from bonsai.queries.suggestions import existing_tagger

    shell = shell_of(ctx)
    bonsai = shell.open()
    tagger = existing_tagger(bonsai)
    if as_json:
        shell.json_lines(_queue(shell, bonsai, tagger, limit))
    else:
        _go_through(shell, bonsai, tagger, shell.person(by), limit)


def _queue(shell: Shell, bonsai: Bonsai, tagger: CategoryTagger | None, limit: int) -> Iterator[TagTurn]:
    from bonsai.actions.tag import next_uncertain
    from bonsai.schemas.records import TagTurn
    from bonsai.serializers import records

    turn, listed = next_uncertain(bonsai, tagger), 0
    while turn.stored is not None and (not limit or listed < limit):
        record = records.record(turn.stored, shell.language)
        yield TagTurn(record=record, categories=list(turn.categories), left=turn.left)
        turn, listed = next_uncertain(bonsai, tagger, after=turn.stored.record.id), listed + 1


def _go_through(shell: Shell, bonsai: Bonsai, tagger: CategoryTagger | None, who: str, limit: int) -> None:
    """Review records until the queue or the input ends, or `q`."""
    from bonsai.actions.tag import next_uncertain, tag_record, undo_tags

    done: list[tuple[str, int]] = []
    turn = next_uncertain(bonsai, tagger)
    while turn.stored is not None and (not limit or len(done) < limit):
        record = turn.stored.record
        said = _ask(shell, turn)
        if said.move == "q":
            break
        if said.wrong:
            shell.complain("cli.tags_no_key", key=said.wrong)
        elif said.move == "u" and done:
            undone, number = done.pop()
            undo_tags(bonsai, undone, number, who, shell.now())
            turn = next_uncertain(bonsai, tagger, at=undone)
        elif said.move == "b" and turn.before:
            turn = next_uncertain(bonsai, tagger, at=turn.before)
        elif said.move == "s":
            turn = next_uncertain(bonsai, tagger, after=record.id)
        elif not said.move:
            kept = tag_record(
                bonsai, record.id, language=said.language, category=said.category, by=who, now=shell.now()
            )
            done.append((record.id, kept))
            turn = next_uncertain(bonsai, tagger, after=record.id)
    shell.say("cli.tags_reviewed", count=len(done), left=turn.left)


def _ask(shell: Shell, turn: UncertainTags) -> Said:
    """Show a record and read a line."""
    from bonsai.domain.records import Category

    assert turn.stored is not None
    keys = {str(number): one.value for number, one in enumerate(Category, 1) if one is not Category.UNCATEGORISED}
    _show(shell, turn.stored.record, keys, turn)
    line = sys.stdin.readline()
    if not line:
        return Said(move="q")
    return understood(line.strip().lower(), keys, turn.categories[0] if turn.categories else None,
                      turn.stored.tags.language.value)  # fmt: skip


def _show(shell: Shell, record: Record, keys: dict[str, str], turn: UncertainTags) -> None:
    shell.line("")
    shell.line(record.instruction)
    shell.line(record.output)
    shell.line("  ".join(f"{key} {value}" for key, value in keys.items()))
    likely = turn.categories[0] if turn.categories else "-"
    language = turn.stored.tags.language.value if turn.stored else ""
    shell.say("cli.tags_ask", left=turn.left, category=likely, language=language)


def understood(line: str, keys: dict[str, str], likely: str | None, language: str) -> Said:
    """A line may hold several keys: `j3`. An empty one accepts the suggestion."""
    if line in ("s", "b", "u", "q"):
        return Said(move=line)
    category = likely
    for key in line:
        if key in keys:
            category = keys[key]
        elif key in LANGUAGES:
            language = LANGUAGES[key]
        else:
            return Said(wrong=key)
    return Said(language=language, category=category)
