"""`bonsai ask`: one question to the champion, or to several models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bonsai.cli.help import noun, verb
from bonsai.cli.presenters.questions import tell_answers, tell_records
from bonsai.cli.shell import AsJson, Shell, shell_of

if TYPE_CHECKING:
    from bonsai.context import Bonsai
    from storage.tables.questions_table import StoredQuestion


app = noun()


@verb(app, "cli.ask")
def ask(
    ctx: typer.Context,
    question: Annotated[str, typer.Argument(help="cli.arg_question")],
    context: Annotated[str, typer.Option("--input", help="cli.opt_input")] = "",
    language: Annotated[str | None, typer.Option("--language", help="cli.opt_answer_language")] = None,
    category: Annotated[str | None, typer.Option("--category", help="cli.opt_answer_category")] = None,
    adapter: Annotated[str, typer.Option("--adapter", help="cli.opt_adapter")] = "champion",
    base: Annotated[bool, typer.Option("--base", help="cli.opt_base")] = False,
    as_json: AsJson = False,
) -> None:
    """What the records say, on stderr and at once; then the answer on stdout. Both are stored for `bonsai asked`."""
    from bonsai.actions.ask import QuestionRequest, ask_models, check_request, new_question_id
    from bonsai.queries.similar import quoted_records

    shell = shell_of(ctx)
    bonsai = shell.open()
    models = (adapter, "base") if base else (adapter,)
    request = QuestionRequest(question, shell.person(""), context, tuple(dict.fromkeys(models)), language, category)
    check_request(bonsai, request)
    records = quoted_records(bonsai, question, context)
    if not as_json:
        tell_records(shell, records)
    found = ask_models(bonsai, request, new_question_id(), shell.now(), records=records)
    if as_json:
        from bonsai.serializers.questions import question_with_similar

        shell.json(question_with_similar(found, records))
    else:
        tell_answers(shell, found)
        if not records:
            shell.complain("asking.records_none")
    _keep(shell, bonsai, found)


def _keep(shell: Shell, bonsai: Bonsai, found: StoredQuestion) -> None:
    """A failure to store is only a warning: the answer was already given."""
    from bonsai.actions.ask import store_question
    from bonsai.errors import LockTimeout

    try:
        store_question(bonsai, found)
    except LockTimeout as busy:
        shell.complain("asking.not_kept", reason=busy.render(shell.language))
