"""`bonsai records`: add, import, list, edit and forget records."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bonsai.cli import progress
from bonsai.cli.help import noun, verb
from bonsai.cli.presenters.questions import tell_similar
from bonsai.cli.presenters.records import (
    count_pairs,
    nothing_taken,
    on_one_line,
    record_pairs,
    record_rows,
    short,
    show_file,
    tell_changed,
    version_rows,
)
from bonsai.cli.shell import AsJson, By, one_of, shell_of
from bonsai.errors import InputError, LockTimeout, UsageError
from bonsai.system.progress import silent

if TYPE_CHECKING:
    from storage.tables.settled_pairs_table import WaitingPair

app = noun()

SOURCES: tuple[Literal["import", "self", "community"], ...] = ("import", "self", "community")
PAIR_KINDS: tuple[Literal["jsonl", "csv", "parquet"], ...] = ("jsonl", "csv", "parquet")

RecordId = Annotated[str, typer.Argument(help="cli.arg_record", metavar="ID")]
RecordIds = Annotated[list[str], typer.Argument(help="cli.arg_records", metavar="ID")]
StatusFilter = Annotated[str, typer.Option("--status", help="cli.opt_status")]
LanguageFilter = Annotated[str, typer.Option("--language", help="cli.opt_language")]
CategoryFilter = Annotated[str, typer.Option("--category", help="cli.opt_category")]
TextFilter = Annotated[str, typer.Option("--text", help="cli.opt_text")]
Limit = Annotated[int, typer.Option("--limit", help="cli.opt_limit", min=0, show_default=False)]


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
    """Submit to the inbox, which works while the database is locked; then drain it if possible."""
    from bonsai.actions.inbox import drain_inbox, submit
    from bonsai.domain.records import Defaults, Origin, Reject, content_id, parse
    from bonsai.schemas.records import Added, Counts

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
    made = parse(fields, Origin("form"), Defaults(source="self"), bonsai.config.records)
    if isinstance(made, Reject):
        raise InputError(made.reason_key, **dict(made.values))
    submission = submit(bonsai, {name: value for name, value in fields.items() if value}, shell.now())
    try:
        drained = drain_inbox(bonsai, shell.now(), silent)
    except LockTimeout:
        drained = None
    if as_json:
        counts = Counts.model_validate(drained.counts) if drained else None
        shell.json(Added(submission=submission, record=content_id(instruction, context, output), counts=counts))
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
    """Import all records of a file; idempotent."""
    from bonsai.actions.import_file import import_file
    from bonsai.queries.file_preview import preview_file
    from bonsai.schemas.records import Counts
    from bonsai.serializers import records as serializer_records

    shell = shell_of(ctx)
    bonsai = shell.open()
    if preview:
        check = preview_file(bonsai, path)
        shell.json(serializer_records.upload_check(check, shell.language)) if as_json else show_file(shell, check)
        return
    whose = one_of(source, SOURCES, "--source")
    with progress.shown(shell, quiet=as_json) as report:
        counts = import_file(
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
        shell.json(Counts.model_validate(counts))
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
    """A table, newest first; with `--json` JSON Lines in order of arrival, all of them without `--limit`."""
    from bonsai.queries.records import count_records, list_records
    from bonsai.serializers import records as serializer_records
    from storage.tables.records_table import RecordFilter

    shell = shell_of(ctx)
    bonsai = shell.open()
    _check_filter(status, language, category)
    record_filter = RecordFilter(status=status, language=language, category=category, text=contains)
    if as_json:
        found = list_records(bonsai, record_filter, limit or None)
        shell.json_lines(serializer_records.record(stored, shell.language) for stored in found)
        return
    shown = list_records(bonsai, record_filter, limit or bonsai.config.cli.list_limit)[::-1]
    headings = ("id", "language", "category", "status", "question", "answer")
    shell.table(headings, record_rows(shown), clipped=(4, 5))
    shell.say("cli.shown_of", shown=len(shown), all=count_records(bonsai, record_filter))


def _check_filter(status: str, language: str, category: str) -> None:
    """An unknown value would find nothing, without a word. Raises UsageError."""
    from bonsai.domain.records import LANGUAGES, Category, Status

    one_of(status, ("", *(one.value for one in Status)), "--status")
    one_of(language, ("", *LANGUAGES), "--language")
    one_of(category, ("", *(one.value for one in Category)), "--category")


@verb(app, "cli.records_show")
def show(ctx: typer.Context, record: RecordId, as_json: AsJson = False) -> None:
    """One record with its tags and their origins, its versions, and the adapters trained on it."""
    from bonsai.queries.records import show_record
    from bonsai.serializers import records as serializer_records

    shell = shell_of(ctx)
    detail = show_record(shell.open(), record)
    if as_json:
        shell.json(serializer_records.record_detail(detail, shell.language))
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
    """Set tags by hand; `--all` renews the automatic ones and leaves those from people and files alone."""
    from bonsai.actions.tag import retag, tag_record

    shell = shell_of(ctx)
    if again and not record:
        bonsai = shell.open()
        with progress.shown(shell) as report:
            changed = retag(bonsai, shell.now(), report)
        shell.say("cli.retagged", count=changed)
        return
    if again or not record or (language, category, reasoning) == (None, None, None):
        raise UsageError("cli.nothing_to_change", options="ID --language, --category, --reasoning; --all")
    tag_record(
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
    """Erase the texts, keep a tombstone, and name the adapters trained on them."""
    from bonsai.actions.forget import forget_records
    from bonsai.schemas.records import Forgotten

    shell = shell_of(ctx)
    forgotten = forget_records(shell.open(), records, shell.person(by), shell.now())
    if as_json:
        shell.json(Forgotten.model_validate(forgotten))
        return
    shell.say("cli.forgotten", ids=short(*forgotten.records))
    if forgotten.adapters:
        shell.say("cli.learned_by", adapters=short(*forgotten.adapters))
    if forgotten.cold_night:
        shell.say("cli.cold_night")
    shell.say("pipeline.forgotten_inside" if forgotten.erased else "pipeline.forgotten_later")


@verb(app, "cli.records_release")
def release(ctx: typer.Context, records: RecordIds, by: By = "", as_json: AsJson = False) -> None:
    """Let held back or suspect records train."""
    from bonsai.actions.edit import release_records

    shell = shell_of(ctx)
    bonsai = shell.open()
    tell_changed(
        shell, bonsai, "cli.released", release_records(bonsai, records, shell.person(by), shell.now()), as_json
    )


@verb(app, "cli.records_exclude")
def exclude(ctx: typer.Context, records: RecordIds, by: By = "", as_json: AsJson = False) -> None:
    """Keep records out of training."""
    from bonsai.actions.edit import exclude_records

    shell = shell_of(ctx)
    bonsai = shell.open()
    tell_changed(
        shell, bonsai, "cli.excluded", exclude_records(bonsai, records, shell.person(by), shell.now()), as_json
    )


@verb(app, "cli.records_export")
def export(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="cli.arg_export", metavar="FILE")],
    status: StatusFilter = "active",
    language: LanguageFilter = "",
    category: CategoryFilter = "",
) -> None:
    """To a .jsonl, .csv or .parquet file that `records import` reads back."""
    from bonsai.actions.maintenance import export_records
    from storage.tables.records_table import RecordFilter

    shell = shell_of(ctx)
    kind = one_of(path.suffix.lstrip(".").lower(), PAIR_KINDS, str(path))
    _check_filter(status, language, category)
    record_filter = RecordFilter(status=status, language=language, category=category)
    count = export_records(shell.open(), path, kind, record_filter)
    shell.say("cli.exported", count=count, path=path)


@verb(app, "cli.records_edit")
def edit(
    ctx: typer.Context,
    record: RecordId,
    instruction: Annotated[str | None, typer.Option("--instruction", help="cli.opt_instruction")] = None,
    context: Annotated[str | None, typer.Option("--input", help="cli.opt_input")] = None,
    output: Annotated[str | None, typer.Option("--output", help="cli.opt_output")] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="cli.opt_subject")] = None,
    happened_on: Annotated[str | None, typer.Option("--on", help="cli.opt_on", metavar="YYYY-MM-DD")] = None,
    feeling: Annotated[str | None, typer.Option("--feeling", help="cli.opt_feeling")] = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """The earlier version is kept; changed texts give the record a new id (ids are content hashes)."""
    from bonsai.actions.edit import edit_record

    shell = shell_of(ctx)
    said = {
        "instruction": instruction,
        "input": context,
        "output": output,
        "subject": subject,
        "happened_on": happened_on,
        "feeling": feeling,
    }
    changes = {name: value for name, value in said.items() if value is not None}
    if not changes:
        options = "--instruction, --input, --output, --subject, --on, --feeling"
        raise UsageError("cli.nothing_to_change", options=options)
    bonsai = shell.open()
    new_id = edit_record(bonsai, record, changes, shell.person(by), shell.now())
    tell_changed(shell, bonsai, "cli.edited", (new_id,), as_json)


@verb(app, "cli.records_versions")
def versions(ctx: typer.Context, record: RecordId, as_json: AsJson = False) -> None:
    """Content before each edit, oldest first; `restore` takes the number."""
    from bonsai.queries.records import show_record
    from bonsai.serializers import records as serializer_records

    shell = shell_of(ctx)
    detail = show_record(shell.open(), record)
    if as_json:
        shell.json_lines(serializer_records.record_detail(detail, shell.language).versions)
        return
    rows = ((number, *row) for number, row in enumerate(version_rows(detail), 1))
    shell.table(("number", "at", "by", "question", "answer"), rows, right=(0,), clipped=(3, 4))


@verb(app, "cli.records_restore")
def restore(
    ctx: typer.Context,
    record: RecordId,
    number: Annotated[int, typer.Argument(help="cli.arg_version", metavar="NUMBER")],
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Restore a version; the current content becomes a version too."""
    from bonsai.actions.edit import restore_version

    shell = shell_of(ctx)
    bonsai = shell.open()
    made = restore_version(bonsai, record, number, shell.person(by), shell.now())
    tell_changed(shell, bonsai, "cli.edited", (made,), as_json)


KEEP = "this, other, both"


@verb(app, "cli.records_contradictions")
def contradictions(
    ctx: typer.Context,
    kind: Annotated[str, typer.Option("--kind", help="cli.opt_kind")] = "contradiction",
    limit: Annotated[int, typer.Option("--limit", help="cli.opt_limit", min=0, show_default=False)] = 0,
    before: Annotated[str, typer.Option("--before", help="cli.opt_before", show_default=False)] = "",
    as_json: AsJson = False,
) -> None:
    """Newest first; a line for the waiting record, and one for each counterpart, marked with `>`."""
    from bonsai.domain.records import PAIR_KINDS
    from bonsai.queries.records import pair_counts, waiting_pairs
    from bonsai.serializers import records as serializer_records

    shell = shell_of(ctx)
    bonsai = shell.open()
    pair_kind = one_of(kind, PAIR_KINDS, "--kind")
    found = waiting_pairs(bonsai, pair_kind, limit or bonsai.config.cli.list_limit, before)
    if as_json:
        shell.json_lines(serializer_records.pair(one, shell.language) for one in found)
        return
    shell.table(("mark", "id", "status", "question", "answer"), _rows(found), clipped=(3, 4))
    shell.say("cli.shown_of", shown=len(found), all=pair_counts(bonsai)[pair_kind])


def _rows(found: list[WaitingPair]) -> Iterator[tuple[str, ...]]:
    for waiting in found:
        for mark, one in (("", waiting.stored), *((">", other) for other in waiting.others)):
            record = one.record
            texts = on_one_line(record.instruction), on_one_line(record.output)
            yield mark, short(record.id), one.status.value, *texts


@verb(app, "cli.records_resolve")
def resolve(
    ctx: typer.Context,
    record: Annotated[str, typer.Argument(help="cli.arg_record", metavar="ID")],
    keep: Annotated[str, typer.Option("--keep", help="cli.opt_keep", metavar="this|other|both")] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """`this` is the waiting record, `other` its counterparts; what is not kept is excluded, not erased."""
    from bonsai.actions.resolve import resolve_pair
    from bonsai.schemas.pairs import PairResult

    shell = shell_of(ctx)
    if not keep:
        raise UsageError("cli.not_one_of", name="--keep", value=keep, valid=KEEP)
    done = resolve_pair(shell.open(), record, keep, shell.person(by), shell.now())
    if as_json:
        shell.json(PairResult.model_validate(done))
        return
    shell.say("cli.kept", ids=short(*done.kept) or "-")
    if done.excluded:
        shell.say("cli.excluded", ids=short(*done.excluded))


@verb(app, "cli.records_resolved")
def resolved(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", help="cli.opt_limit", min=0, show_default=False)] = 0,
    as_json: AsJson = False,
) -> None:
    """One line per decision: when, who, what was kept, of which records, and who undid it."""
    from bonsai.queries.records import decided_pairs
    from bonsai.serializers import records as serializer_records

    shell = shell_of(ctx)
    bonsai = shell.open()
    found = [
        serializer_records.decided_pair(one) for one in decided_pairs(bonsai, limit or bonsai.config.cli.list_limit)
    ]
    if as_json:
        shell.json_lines(found)
        return
    headings = ("at", "by", "kept", "id", "others", "taken_back_by")
    shell.table(
        headings,
        ((one.at, one.who, one.kept, short(one.record), short(*one.others), one.taken_back_by) for one in found),
    )


@verb(app, "cli.records_reopen")
def reopen(
    ctx: typer.Context,
    record: Annotated[str, typer.Argument(help="cli.arg_record", metavar="ID")],
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Undo the last decision; refused if the status of one of the records changed since."""
    from bonsai.actions.resolve import reopen_pair
    from bonsai.schemas.pairs import Reopened

    shell = shell_of(ctx)
    ids = reopen_pair(shell.open(), record, shell.person(by), shell.now())
    if as_json:
        shell.json(Reopened(records=list(ids)))
        return
    shell.say("cli.reopened", ids=short(*ids) or "-")


MOST_SIMILAR = 5


@verb(app, "cli.records_similar")
def similar(
    ctx: typer.Context,
    said: Annotated[str, typer.Argument(help="cli.arg_similar", metavar="ID|TEXT")],
    limit: Annotated[int, typer.Option("--limit", help="cli.opt_limit", min=0)] = MOST_SIMILAR,
    as_json: AsJson = False,
) -> None:
    """Most similar first; likeness is the share of the text's weight that the record has."""
    from bonsai.queries.similar import similar_to

    shell = shell_of(ctx)
    found = similar_to(shell.open(), said, limit)
    if as_json:
        from bonsai.serializers.questions import similar_record

        shell.json_lines(map(similar_record, found))
        return
    tell_similar(shell, found)


@verb(app, "cli.records_subjects")
def subjects(ctx: typer.Context, limit: Limit = 0, as_json: AsJson = False) -> None:
    """Number of records about each subject, with first and last date."""
    from bonsai.queries.timeline import list_subjects
    from bonsai.schemas.timeline import Subject

    shell = shell_of(ctx)
    bonsai = shell.open()
    found = list_subjects(bonsai, limit or bonsai.config.cli.list_limit)
    if as_json:
        shell.json_lines(Subject.model_validate(one) for one in found)
        return
    rows = ((one.name, one.records, one.first, one.last) for one in found)
    shell.table(("subject", "records", "first", "last"), rows, right=(1,))


@verb(app, "cli.records_timeline")
def timeline(
    ctx: typer.Context,
    subject: Annotated[str, typer.Argument(help="cli.arg_subject", metavar="SUBJECT")],
    limit: Limit = 0,
    as_json: AsJson = False,
) -> None:
    """Latest first; a date in brackets is the day on which the record was added."""
    from bonsai.queries.timeline import whole_timeline
    from bonsai.serializers import records as serializer_records

    shell = shell_of(ctx)
    bonsai = shell.open()
    found = whole_timeline(bonsai, subject, limit or bonsai.config.cli.list_limit)
    if as_json:
        shell.json_lines(serializer_records.timeline_entry(one) for one in found)
        return
    rows = (
        (one.event.day if one.event.dated else f"({one.event.day})", short(one.event.id), one.event.feeling,
         on_one_line(one.event.instruction), on_one_line(one.event.output),
         [str(old.event.day) for old in one.earlier])
        for one in found
    )  # fmt: skip
    shell.table(("day", "id", "feeling", "question", "answer", "before_that"), rows, clipped=(3, 4))


RejectId = Annotated[str, typer.Argument(help="cli.arg_reject", metavar="ID")]


@verb(app, "cli.records_rejects")
def rejects(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", help="cli.opt_limit", min=0, show_default=False)] = 0,
    as_json: AsJson = False,
) -> None:
    """Lines that were rejected: file, line, reason and raw text."""
    from bonsai.queries.records import list_rejects
    from bonsai.serializers import records as serializer_records

    shell = shell_of(ctx)
    bonsai = shell.open()
    found = [serializer_records.rejected_line(stored, shell.language) for stored in list_rejects(bonsai, None)]
    if as_json:
        shell.json_lines(found[: limit or None])
        return
    shown = found[: limit or bonsai.config.cli.list_limit]
    rows = ((short(one.id), one.file, one.line, one.reason, on_one_line(one.raw)) for one in shown)
    shell.table(("id", "file", "line", "reason", "raw"), rows, right=(2,), clipped=(4,))
    shell.say("cli.shown_of", shown=len(shown), all=len(found))


@verb(app, "cli.records_repair")
def repair(
    ctx: typer.Context,
    reject: RejectId,
    raw: Annotated[str, typer.Argument(help="cli.arg_repaired", metavar="TEXT", show_default=False)] = "-",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Parse the text as the reader of the file did, then submit it. `-` reads it from standard input."""
    from bonsai.actions.inbox import drain_inbox
    from bonsai.actions.rejects import RepairResult, repair_reject
    from bonsai.schemas.rejects import Repaired
    from bonsai.serializers import records as serializer_records

    shell = shell_of(ctx)
    bonsai = shell.open()
    text = sys.stdin.read() if raw == "-" else raw
    made = repair_reject(bonsai, reject, text, shell.person(by), shell.now())
    if not isinstance(made, RepairResult):
        raise InputError(
            "pipeline.still_rejected", id=short(reject), reason=serializer_records.reason(made, shell.language)
        )
    try:
        drain_inbox(bonsai, shell.now(), silent)
    except LockTimeout:
        shell.complain("cli.drain_later")
    if as_json:
        shell.json(Repaired(accepted=True, records=list(made.records), detail=None))
    else:
        shell.say("cli.repaired", id=short(made.reject), records=short(*made.records))


@verb(app, "cli.records_dismiss")
def dismiss(
    ctx: typer.Context,
    reject: RejectId,
    why: Annotated[str, typer.Option("--reason", help="cli.opt_reason")] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Remove a reject from the list; who and why are stored."""
    from bonsai.actions.rejects import dismiss_reject
    from bonsai.schemas.rejects import Dismissed

    shell = shell_of(ctx)
    done = dismiss_reject(shell.open(), reject, shell.person(by), why, shell.now())
    if as_json:
        shell.json(Dismissed(reject=done))
    else:
        shell.say("cli.dismissed", id=short(done))


@verb(app, "cli.records_suggest")
def suggest(
    ctx: typer.Context,
    instruction: Annotated[str, typer.Argument(help="cli.arg_instruction")],
    output: Annotated[str, typer.Argument(help="cli.arg_output")],
    context: Annotated[str, typer.Option("--input", help="cli.opt_input")] = "",
    as_json: AsJson = False,
) -> None:
    """Suggested tags, and records that it would repeat or contradict; stores nothing."""
    from bonsai.queries import suggestions
    from bonsai.serializers import records as serializer_records

    shell = shell_of(ctx)
    bonsai = shell.open()
    fields = {"instruction": instruction, "input": context, "output": output}
    found = suggestions.suggest(bonsai, fields, suggestions.existing_tagger(bonsai))
    if found is None:
        raise InputError("pipeline.nothing_to_suggest")
    if as_json:
        shell.json(serializer_records.suggested_tags(found, shell.language))
        return
    named = (("language", found.tags.language), ("category", found.tags.category))
    shell.fields((name, f"{tag.value} ({tag.source} {tag.confidence:.2f})") for name, tag in named)
    shell.fields((("likely", ", ".join(found.likely)),))
    if found.exact:
        shell.say("cli.told_before", ids=short(found.exact.record.id))
    if found.contradicts:
        shell.say("cli.would_contradict", ids=short(*(one.record.id for one in found.contradicts)))
    if found.near:
        shell.say("cli.would_be_near", ids=short(*(one.record.id for one in found.near)))
