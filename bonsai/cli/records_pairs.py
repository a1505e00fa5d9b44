"""`bonsai records contradictions | resolve | resolved | reopen`: what waits for a word, what was decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from bonsai.cli.help import verb
from bonsai.cli.records_shown import on_one_line, record_object, short
from bonsai.cli.shell import AsJson, By, one_of, shell_of
from bonsai.errors import UsageError

if TYPE_CHECKING:
    from storage.pairs_table import Waiting

KEEP = "this, other, both"


def add_to(app: typer.Typer) -> None:
    """The verbs of this file, as verbs of `app`."""
    verb(app, "cli.records_contradictions")(contradictions)
    verb(app, "cli.records_resolve")(resolve)
    verb(app, "cli.records_resolved")(resolved)
    verb(app, "cli.records_reopen")(reopen)


def contradictions(
    ctx: typer.Context,
    kind: Annotated[str, typer.Option("--kind", help="cli.opt_kind")] = "contradiction",
    limit: Annotated[int, typer.Option("--limit", help="cli.opt_limit", show_default=False)] = 0,
    before: Annotated[str, typer.Option("--before", help="cli.opt_before", show_default=False)] = "",
    as_json: AsJson = False,
) -> None:
    """The newest first; a line for the record that waits, one for each that it stands against, marked with `>`."""
    from bonsai import curating
    from storage.pairs_table import KINDS

    shell = shell_of(ctx)
    bonsai = shell.open()
    wanted = one_of(kind, KINDS, "--kind")
    found = curating.waiting_pairs(bonsai, wanted, limit or bonsai.config.cli.list_limit, before)
    if as_json:
        shell.json_lines(
            {**record_object(one.stored), "others": [record_object(other) for other in one.others]} for one in found
        )
        return
    shell.table(("mark", "id", "status", "question", "answer"), _rows(found), clipped=(3, 4))
    shell.say("cli.shown_of", shown=len(found), all=curating.pair_counts(bonsai)[wanted])


def _rows(found: list[Waiting]) -> Iterator[tuple[str, ...]]:
    for waiting in found:
        for mark, one in (("", waiting.stored), *((">", other) for other in waiting.others)):
            record = one.record
            texts = on_one_line(record.instruction), on_one_line(record.output)
            yield mark, short(record.id), one.status.value, *texts


def resolve(
    ctx: typer.Context,
    record: Annotated[str, typer.Argument(help="cli.arg_record", metavar="ID")],
    keep: Annotated[str, typer.Option("--keep", help="cli.opt_keep", metavar="this|other|both")] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """`this` is the record that waits, `other` what it stands against; what is not kept is excluded, not erased."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    if not keep:
        raise UsageError("cli.not_one_of", name="--keep", value=keep, valid=KEEP)
    done = pipeline.resolve_pair(shell.open(), record, keep, shell.person(by), shell.now())
    if as_json:
        shell.json(done)
        return
    shell.say("cli.kept", ids=short(*done.kept) or "-")
    if done.excluded:
        shell.say("cli.excluded", ids=short(*done.excluded))


def resolved(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", help="cli.opt_limit", show_default=False)] = 0,
    as_json: AsJson = False,
) -> None:
    """A line a decision: when, who, what was kept, of which records, and who took it back."""
    from bonsai import curating

    shell = shell_of(ctx)
    bonsai = shell.open()
    found = [one.decision for one in curating.decided_pairs(bonsai, limit or bonsai.config.cli.list_limit)]
    if as_json:
        shell.json_lines(found)
        return
    headings = ("at", "by", "kept", "id", "others", "taken_back_by")
    shell.table(
        headings,
        ((one.at, one.who, one.kept, short(one.record_id), short(*one.others), one.taken_back_by) for one in found),
    )


def reopen(
    ctx: typer.Context,
    record: Annotated[str, typer.Argument(help="cli.arg_record", metavar="ID")],
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Refused when one of the records stands otherwise by now."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    ids = pipeline.reopen_pair(shell.open(), record, shell.person(by), shell.now())
    if as_json:
        shell.json({"ids": list(ids)})
        return
    shell.say("cli.reopened", ids=short(*ids) or "-")
