"""`bonsai records`: tell experiences, look at them, mend them, take them back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from bonsai.cli import progress, records_editing, records_pairs, records_past, records_rejects, records_suggest
from bonsai.cli.file_shown import show_file
from bonsai.cli.help import noun, verb
from bonsai.cli.records_shown import (
    count_pairs,
    nothing_taken,
    record_object,
    record_pairs,
    record_rows,
    short,
    tell_ids,
    version_rows,
)
from bonsai.cli.shell import AsJson, By, one_of, shell_of
from bonsai.errors import LockTimeout, UsageError

app = noun()

SOURCES: tuple[Literal["import", "self", "community"], ...] = ("import", "self", "community")
KINDS: tuple[Literal["jsonl", "csv", "parquet"], ...] = ("jsonl", "csv", "parquet")

RecordId = Annotated[str, typer.Argument(help="cli.arg_record", metavar="ID")]
RecordIds = Annotated[list[str], typer.Argument(help="cli.arg_records", metavar="ID")]
StatusFilter = Annotated[str, typer.Option("--status", help="cli.opt_status")]
LanguageFilter = Annotated[str, typer.Option("--language", help="cli.opt_language")]
CategoryFilter = Annotated[str, typer.Option("--category", help="cli.opt_category")]
TextFilter = Annotated[str, typer.Option("--text", help="cli.opt_text")]
Limit = Annotated[int, typer.Option("--limit", help="cli.opt_limit", show_default=False)]


@verb(app, "cli.records_add")
def add(
    ctx: typer.Context,
    instruction: Annotated[str, typer.Argument(help="cli.arg_instruction")],
    output: Annotated[str, typer.Argument(help="cli.arg_output")],
    context: Annotated[str, typer.Option("--input", help="cli.opt_input")] = "",
    language: Annotated[str, typer.Option("--language", help="cli.opt_tag_language")] = "",
    category: Annotated[str, typer.Option("--category", help="cli.opt_tag_category")] = "",
    subject: Annotated[str, typer.Option("--subject", help="cli.opt_subject")] = "",
    happened_on: Annotated[str, typer.Option("--on", help="cli.opt_on", metavar="YYYY-MM-DD")] = "",
    feeling: Annotated[str, typer.Option("--feeling", help="cli.opt_feeling")] = "",
    fact: Annotated[str, typer.Option("--fact", help="cli.opt_fact")] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Into the inbox, which never fails for want of the database; then drain it if that is possible now."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    fields = {
        "instruction": instruction,
        "input": context,
        "output": output,
        "language": language,
        "category": category,
        "subject": subject,
        "happened_on": happened_on,
        "feeling": feeling,
        "fact": fact,
        "source": "self",
        "author": shell.person(by),
    }
    bonsai = shell.open()
    submission = pipeline.submit(bonsai, {name: value for name, value in fields.items() if value}, shell.now())
    try:
        drained = pipeline.drain_inbox(bonsai, shell.now(), progress.silent)
    except LockTimeout:
        drained = None
    if as_json:
        shell.json({"submission": submission, "counts": dict(count_pairs(drained.counts)) if drained else None})
        return
    shell.say("cli.submitted", submission=submission)
    if drained is None:
        shell.say("cli.drain_later")
    else:
        shell.fields(count_pairs(drained.counts))


@verb(app, "cli.records_import", name="import")
def import_(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="cli.arg_import", metavar="FILE")],
    pair_with: Annotated[Path | None, typer.Option("--pair-with", help="cli.opt_pair_with", metavar="FILE")] = None,
    source: Annotated[str, typer.Option("--source", help="cli.opt_source")] = "import",
    source_name: Annotated[str, typer.Option("--source-name", help="cli.opt_source_name")] = "",
    preview: Annotated[bool, typer.Option("--preview", help="cli.opt_file_preview")] = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """All records of a file; importing it again adds nothing."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    bonsai = shell.open()
    if preview:
        check = pipeline.preview_file(bonsai, path)
        shell.json(check) if as_json else show_file(shell, check)
        return
    whose = one_of(source, SOURCES, "--source")
    with progress.shown(shell, quiet=as_json) as report:
        counts = pipeline.import_file(
            bonsai,
            path,
            now=shell.now(),
            pair_with=pair_with,
            source=whose,
            source_name=source_name,
            author=by,
            report=report,
        )
    if as_json:
        shell.json(dict(count_pairs(counts)))
    if counts.first_reject and counts.rejected == counts.read:
        raise nothing_taken(counts.first_reject, counts.rejected, shell.language)
    if not as_json:
        shell.fields(count_pairs(counts))
        if counts.rejected:
            shell.say("cli.see_rejects")


@verb(app, "cli.records_list", name="list")
def list_(
    ctx: typer.Context,
    status: StatusFilter = "",
    language: LanguageFilter = "",
    category: CategoryFilter = "",
    contains: TextFilter = "",
    limit: Limit = 0,
    as_json: AsJson = False,
) -> None:
    """A table, newest first; with `--json` one object a line in order of arrival, all of them unless `--limit` says."""
    from bonsai import views

    shell = shell_of(ctx)
    bonsai = shell.open()
    wanted = views.RecordFilter(status=status, language=language, category=category, text=contains)
    if as_json:
        shell.json_lines(record_object(stored) for stored in views.list_records(bonsai, wanted, limit or None))
        return
    shown = views.list_records(bonsai, wanted, limit or bonsai.config.cli.list_limit)[::-1]
    headings = ("id", "language", "category", "status", "question", "answer")
    shell.table(headings, record_rows(shown), clipped=(4, 5))
    shell.say("cli.shown_of", shown=len(shown), all=views.count_records(bonsai, wanted))


@verb(app, "cli.records_show")
def show(ctx: typer.Context, record: RecordId, as_json: AsJson = False) -> None:
    """One record with its tags, where they came from, its versions and the adapters that learned from it."""
    from bonsai import views

    shell = shell_of(ctx)
    detail = views.show_record(shell.open(), record)
    if as_json:
        shell.json(detail)
        return
    shell.fields(record_pairs(detail, shell.language))
    if detail.versions:
        shell.table(("at", "by", "question", "answer"), version_rows(detail))


@verb(app, "cli.records_tag")
def tag(
    ctx: typer.Context,
    record: Annotated[str, typer.Argument(help="cli.arg_record", metavar="ID")] = "",
    language: Annotated[str | None, typer.Option("--language", help="cli.opt_tag_language")] = None,
    category: Annotated[str | None, typer.Option("--category", help="cli.opt_tag_category")] = None,
    reasoning: Annotated[str | None, typer.Option("--reasoning", help="cli.opt_tag_reasoning")] = None,
    again: Annotated[bool, typer.Option("--all", help="cli.opt_retag")] = False,
    by: By = "",
) -> None:
    """A person's tags win; `--all` gives the automatic ones anew and leaves a person's and a file's alone."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    if again and not record:
        bonsai = shell.open()
        with progress.shown(shell) as report:
            changed = pipeline.retag(bonsai, shell.now(), report)
        shell.say("cli.retagged", count=changed)
        return
    if again or not record or (language, category, reasoning) == (None, None, None):
        raise UsageError("cli.nothing_to_change", options="ID --language, --category, --reasoning; --all")
    pipeline.tag_record(
        shell.open(),
        record,
        language=language,
        category=category,
        reasoning=reasoning,
        by=shell.person(by),
        now=shell.now(),
    )
    shell.say("cli.tagged", ids=short(record))


@verb(app, "cli.records_forget")
def forget(ctx: typer.Context, records: RecordIds, by: By = "", as_json: AsJson = False) -> None:
    """Their texts go, a tombstone stays, and the adapters that learned from them are named."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    forgotten = pipeline.forget_records(shell.open(), records, shell.person(by), shell.now())
    if as_json:
        shell.json(forgotten)
        return
    shell.say("cli.forgotten", ids=short(*forgotten.records))
    if forgotten.adapters:
        shell.say("cli.learned_by", adapters=short(*forgotten.adapters))
    if forgotten.cold_night:
        shell.say("cli.cold_night")
    shell.say("pipeline.forgotten_inside" if forgotten.erased else "pipeline.forgotten_later")


@verb(app, "cli.records_release")
def release(ctx: typer.Context, records: RecordIds, by: By = "", as_json: AsJson = False) -> None:
    """Held back or suspect records train again."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    done = pipeline.release_records(shell.open(), records, shell.person(by), shell.now())
    tell_ids(shell, "cli.released", done, as_json)


@verb(app, "cli.records_exclude")
def exclude(ctx: typer.Context, records: RecordIds, by: By = "", as_json: AsJson = False) -> None:
    """Keep records out of training."""
    from bonsai import pipeline

    shell = shell_of(ctx)
    done = pipeline.exclude_records(shell.open(), records, shell.person(by), shell.now())
    tell_ids(shell, "cli.excluded", done, as_json)


@verb(app, "cli.records_export")
def export(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="cli.arg_export", metavar="FILE")],
    status: StatusFilter = "active",
    language: LanguageFilter = "",
    category: CategoryFilter = "",
) -> None:
    """To a .jsonl, .csv or .parquet file that `records import` reads back."""
    from bonsai import pipeline, views

    shell = shell_of(ctx)
    kind = one_of(path.suffix.lstrip(".").lower(), KINDS, str(path))
    wanted = views.RecordFilter(status=status, language=language, category=category)
    count = pipeline.export_records(shell.open(), path, kind, wanted)
    shell.say("cli.exported", count=count, path=path)


for part in (records_editing, records_past, records_pairs, records_rejects, records_suggest):
    part.add_to(app)
