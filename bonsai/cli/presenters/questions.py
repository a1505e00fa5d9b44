"""Presenter of questions, answers and similar records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bonsai.cli.presenters.records import on_one_line, short
from bonsai.cli.shell import Shell

if TYPE_CHECKING:
    from bonsai.queries.similar import SimilarRecord
    from storage.tables.questions_table import StoredQuestion


def asked_rows(found: Iterable[StoredQuestion]) -> Iterator[tuple[object, ...]]:
    """One row per question."""
    for one in found:
        thumbs = ", ".join(answer.thumb for answer in one.answers if answer.thumb)
        answer = one.answers[0].answer if one.answers else ""
        yield one.id, one.asked_at, thumbs, on_one_line(one.question), on_one_line(answer)


def tell_answers(shell: Shell, asked: StoredQuestion) -> None:
    """Each answer on stdout, its model and tags on stderr."""
    for one in asked.answers:
        shell.line(one.answer)
        shell.out.flush()
        tags = ", ".join(filter(None, (one.language, one.category)))  # a native template declares the language at most
        shell.complain("cli.answered" if tags else "cli.answered_untagged", tags=tags, adapter=short(one.adapter))
    shell.complain("asking.kept_as", id=asked.id)


def tell_similar(shell: Shell, records: Iterable[SimilarRecord]) -> None:
    """Similar records, most similar first."""
    rows = [
        (short(o.id), f"{o.likeness:.0%}", o.happened_on or "", on_one_line(o.instruction), on_one_line(o.output))
        for o in records
    ]
    if rows:
        shell.line("")
        shell.table(("id", "likeness", "happened_on", "question", "answer"), rows, right=(1,), clipped=(3, 4))
