"""`bonsai asked`: past questions; rate or correct an answer."""

from __future__ import annotations

from typing import Annotated

import typer

from bonsai.cli.help import noun, verb
from bonsai.cli.presenters.questions import asked_rows, tell_answers
from bonsai.cli.shell import AsJson, By, shell_of

app = noun()

AskedId = Annotated[str, typer.Argument(help="cli.arg_asked", metavar="ID")]
Number = Annotated[int, typer.Option("--number", help="cli.opt_answer_number")]


@verb(app, "cli.asked_list", name="list")
def list_(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", help="cli.opt_limit", min=0, show_default=False)] = 0,
    as_json: AsJson = False,
) -> None:
    """Newest first."""
    from bonsai.actions import ask

    shell = shell_of(ctx)
    bonsai = shell.open()
    found = ask.list_questions(bonsai, limit or bonsai.config.cli.list_limit)
    if as_json:
        from bonsai.serializers.questions import question

        shell.json_lines(question(one) for one in found)
        return
    shell.table(("id", "at", "thumb", "question", "answer"), asked_rows(found), clipped=(3, 4))


@verb(app, "cli.asked_show")
def show(ctx: typer.Context, asked_id: AskedId, as_json: AsJson = False) -> None:
    """One question with all its answers."""
    from bonsai.actions import ask

    shell = shell_of(ctx)
    found = ask.show_question(shell.open(), asked_id)
    if as_json:
        from bonsai.serializers.questions import question

        shell.json(question(found))
        return
    shell.line(found.question)
    tell_answers(shell, found)


@verb(app, "cli.asked_rate")
def rate(
    ctx: typer.Context,
    asked_id: AskedId,
    thumb: Annotated[str, typer.Argument(help="cli.arg_thumb", metavar="up|down|none")],
    number: Number = 1,
    by: By = "",
) -> None:
    """Thumb up or down; shown to people, never trained on."""
    from bonsai.actions import ask

    shell = shell_of(ctx)
    ask.rate_answer(shell.open(), asked_id, number, "" if thumb == "none" else thumb, shell.person(by))
    shell.say("dashboard.done_thumb")


@verb(app, "cli.asked_correct")
def correct(
    ctx: typer.Context,
    asked_id: AskedId,
    output: Annotated[str, typer.Argument(help="cli.arg_right_answer", metavar="ANSWER")],
    number: Number = 1,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """The correction becomes a record, which overrides the records that it contradicts."""
    from bonsai.actions import ask

    shell = shell_of(ctx)
    bonsai = shell.open()
    submission = ask.correct_answer(bonsai, asked_id, number, output, shell.person(by), shell.now())
    if as_json:
        from bonsai.serializers.questions import correction

        shell.json(correction(ask.show_question(bonsai, asked_id), submission, output))
        return
    shell.say("cli.submitted", submission=submission)
