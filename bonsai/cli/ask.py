"""`bonsai ask`: one question to the champion."""

from __future__ import annotations

from typing import Annotated

import typer

from bonsai.cli import progress
from bonsai.cli.help import noun, verb
from bonsai.cli.records_shown import short
from bonsai.cli.shell import AsJson, shell_of

app = noun()


@verb(app, "cli.ask")
def ask(
    ctx: typer.Context,
    question: Annotated[str, typer.Argument(help="cli.arg_question")],
    context: Annotated[str, typer.Option("--input", help="cli.opt_input")] = "",
    language: Annotated[str | None, typer.Option("--language", help="cli.opt_answer_language")] = None,
    category: Annotated[str | None, typer.Option("--category", help="cli.opt_answer_category")] = None,
    adapter: Annotated[str, typer.Option("--adapter", help="cli.opt_adapter")] = "champion",
    as_json: AsJson = False,
) -> None:
    """The answer on stdout, what the model said about it on stderr."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    bonsai = shell.open()
    answer = pipeline.ask(
        bonsai,
        question,
        context=context,
        language=language,
        category=category,
        adapter=adapter,
        report=progress.silent,
    )
    if as_json:
        shell.json(answer)
        return
    shell.line(answer.answer)
    shell.complain(
        "cli.answered", language=answer.language, category=answer.category, adapter=short(answer.adapter) or "base"
    )
