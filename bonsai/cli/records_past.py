"""`bonsai records similar | subjects | timeline`: what else was told, and what happened when."""

from __future__ import annotations

from typing import Annotated

import typer

from bonsai.cli.asked_shown import similar_objects, tell_similar
from bonsai.cli.help import verb
from bonsai.cli.records_shown import on_one_line, short
from bonsai.cli.shell import AsJson, shell_of

Limit = Annotated[int, typer.Option("--limit", help="cli.opt_limit", show_default=False)]
MOST_SIMILAR = 5
FIELDS = ("feeling", "id", "instruction", "input", "output", "language", "category", "reasoning", "status")


def add_to(app: typer.Typer) -> None:
    """The verbs of this file, as verbs of `app`."""
    verb(app, "cli.records_similar")(similar)
    verb(app, "cli.records_subjects")(subjects)
    verb(app, "cli.records_timeline")(timeline)


def similar(
    ctx: typer.Context,
    said: Annotated[str, typer.Argument(help="cli.arg_similar", metavar="ID|TEXT")],
    limit: Annotated[int, typer.Option("--limit", help="cli.opt_limit")] = MOST_SIMILAR,
    as_json: AsJson = False,
) -> None:
    """The likest first; likeness is the share of the text's rarer n-grams that stand in the record."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    found = pipeline.similar_to(shell.open(), said, limit)
    if as_json:
        shell.json_lines(similar_objects(found))
        return
    tell_similar(shell, found)


def subjects(ctx: typer.Context, limit: Limit = 0, as_json: AsJson = False) -> None:
    """How many records there are of each, from when to when."""
    from bonsai import curating

    shell = shell_of(ctx)
    bonsai = shell.open()
    found = curating.list_subjects(bonsai, limit or bonsai.config.cli.list_limit)
    if as_json:
        shell.json_lines(found)
        return
    rows = ((one.name, one.records, one.first, one.last) for one in found)
    shell.table(("subject", "records", "first", "last"), rows, right=(1,))


def timeline(
    ctx: typer.Context,
    subject: Annotated[str, typer.Argument(help="cli.arg_subject", metavar="SUBJECT")],
    limit: Limit = 0,
    as_json: AsJson = False,
) -> None:
    """The latest first; a day in brackets is the one on which it was told."""
    from bonsai import curating

    shell = shell_of(ctx)
    bonsai = shell.open()
    found = curating.whole_timeline(bonsai, subject, limit or bonsai.config.cli.list_limit)
    if as_json:
        shell.json_lines(
            {"day": one.told.day, "dated": one.told.dated, **{name: getattr(one.told, name) for name in FIELDS},
             "earlier": [{"id": old.told.id, "day": old.told.day.isoformat(), "likeness": round(old.likeness, 3)}
                         for old in one.earlier]}
            for one in found
        )  # fmt: skip
        return
    rows = (
        (one.told.day if one.told.dated else f"({one.told.day})", short(one.told.id), one.told.feeling,
         on_one_line(one.told.instruction), on_one_line(one.told.output),
         [str(old.told.day) for old in one.earlier])
        for one in found
    )  # fmt: skip
    shell.table(("day", "id", "feeling", "question", "answer", "before_that"), rows, clipped=(3, 4))
