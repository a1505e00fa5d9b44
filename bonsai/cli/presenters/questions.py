"""Presenter of questions, answers and similar records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bonsai.actions.ask import fault_of_answer
from bonsai.cli.presenters.records import on_one_line, short
from bonsai.cli.shell import Shell
from bonsai.evaluate.faults import whole_sentences
from bonsai.i18n import ago

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
    """Each answer on stdout, its model and tags on stderr; what is no answer, and why, on stderr alone."""
    for one in asked.answers:
        fault = fault_of_answer(one, asked)
        if fault:
            shell.complain("cli.no_answer", reason=shell.text(f"asking.fault_{fault}"), said=on_one_line(one.answer))
        else:
            shell.line(whole_sentences(one.answer, ended=one.ended))
        shell.out.flush()
        tags = ", ".join(filter(None, (one.language, one.category)))  # a native template declares the language at most
        shell.complain("cli.answered" if tags else "cli.answered_untagged", tags=tags, adapter=short(one.adapter))
    shell.complain("asking.kept_as", id=asked.id)


def tell_records(shell: Shell, records: Sequence[SimilarRecord]) -> None:
    """What the records say to a question: quoted on stderr, with date and source; nothing without any."""
    from rich.padding import Padding
    from rich.text import Text

    if not records:
        return
    aside = replace(shell, out=shell.err)
    aside.line(shell.text("asking.records_say"))
    today = shell.now().astimezone().date()
    for one in records:
        day = one.happened_on
        when = shell.text("asking.when", ago=ago(day, today, shell.language), day=day) if day else ""
        source = one.source_name or shell.text(f"curating.source_{one.source}")
        aside.show(Padding(Text(on_one_line(one.output)), (0, 0, 0, 2)))
        about = " · ".join(filter(None, (when, one.subject, source, short(one.id))))
        aside.show(Padding(Text(about, style="dim"), (0, 0, 0, 4)))
    aside.line("")
    aside.out.flush()  # the answer takes seconds


def tell_similar(shell: Shell, records: Iterable[SimilarRecord]) -> None:
    """Similar records, most similar first."""
    rows = [
        (short(o.id), f"{o.likeness:.0%}", o.happened_on or "", on_one_line(o.instruction), on_one_line(o.output))
        for o in records
    ]
    if rows:
        shell.line("")
        shell.table(("id", "likeness", "happened_on", "question", "answer"), rows, right=(1,), clipped=(3, 4))
