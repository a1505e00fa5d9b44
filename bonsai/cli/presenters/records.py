"""Presenter of records, file previews and import counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from bonsai.domain.record_fields import NOTES, TAGS, TEXTS
from bonsai.errors import InputError
from bonsai.i18n import TextLanguage, text

if TYPE_CHECKING:
    from bonsai.actions.import_file import ImportCounts
    from bonsai.cli.shell import Shell
    from bonsai.context import Bonsai
    from bonsai.domain.records import Reject
    from bonsai.queries.file_preview import FilePreview
    from bonsai.queries.records import RecordDetail
    from storage.tables.record_rows import StoredRecord


ID_LENGTH = 10
"Characters of an id in tables; every command accepts an unambiguous prefix."
COUNTS = ("read", "new", "duplicate", "held_back", "rejected")


def short(*ids: str) -> str:
    """Id prefixes, as tables show them."""
    return ", ".join(found[:ID_LENGTH] for found in ids)


def on_one_line(text: str) -> str:
    """A text without line breaks, for a table that clips it."""
    return " ".join(text[:200].split())


def count_pairs(counts: ImportCounts) -> tuple[tuple[str, int], ...]:
    """Import counts by outcome; `read` is the sum of the others."""
    return tuple((name, int(getattr(counts, name))) for name in COUNTS)


def record_rows(records: Iterable[StoredRecord]) -> Iterator[tuple[str, ...]]:
    """One row per record."""
    for stored in records:
        record, tags = stored.record, stored.tags
        named = short(record.id), tags.language.value, tags.category.value, stored.status.value
        yield *named, on_one_line(record.instruction), on_one_line(record.output)


def record_pairs(detail: RecordDetail, language: TextLanguage) -> Iterator[tuple[str, object]]:
    """All fields of one record; tags with source, confidence and version."""
    stored, record = detail.stored, detail.stored.record
    yield "id", record.id
    yield "status", stored.status.value
    if stored.reason is not None:
        yield "reason", text(stored.reason.key, language, **dict(stored.reason.values))
    for name in TEXTS:
        yield name, getattr(record, name)
    for name in TAGS:
        tag = getattr(stored.tags, name)
        yield name, f"{tag.value} ({tag.source} {tag.confidence:.2f}, {tag.version})" if tag.value else ""
    for name in NOTES:
        yield name, getattr(record, name)
    yield "origin", str(record.origin)
    yield "near_of", short(stored.near_of)
    yield "adapters", tuple(short(adapter) for adapter in detail.adapters)


def version_rows(detail: RecordDetail) -> Iterator[tuple[object, ...]]:
    """Content before each edit."""
    for version in detail.versions:
        said = version.content
        yield version.edited_at, version.edited_by, said.get("instruction", ""), said.get("output", "")


def reason(reject: Reject, language: TextLanguage) -> str:
    """Why a line was rejected."""
    return text(reject.reason_key, language, **dict(reject.values))


def nothing_taken(first: Reject, count: int, language: TextLanguage) -> InputError:
    """Error for a file of which every line was rejected: most likely the wrong file."""
    why = reason(first, language)
    return InputError("pipeline.no_record", file=first.file, count=count, line=first.line, reason=why)


def tell_changed(shell: Shell, b: Bonsai, key: str, ids: Sequence[str], as_json: bool) -> None:
    """Name the changed records; with `--json` one line each."""
    if not as_json:
        shell.say(key, ids=short(*ids))
        return
    from bonsai.queries.records import show_record
    from bonsai.serializers.records import changed

    shell.json_lines(changed(show_record(b, one).stored) for one in ids)


def show_file(shell: Shell, check: FilePreview) -> None:
    """A file preview: detected format, first records with tags, problems with their counts."""
    taken_as = (f"{one.name} = {one.field or '-'}" for one in check.columns)
    pairs = (
        ("format", check.format),
        ("encoding", check.encoding),
        ("delimiter", check.delimiter.replace("\t", "tab")),
        ("columns", ", ".join(taken_as)),
        ("read", check.read),
        ("rejected", check.rejected),
    )
    shell.fields(pairs)
    if check.rows:
        rows = (
            (one.line, one.language, one.category, on_one_line(one.question), on_one_line(one.answer))
            for one in check.rows
        )
        shell.table(("line", "language", "category", "question", "answer"), rows, right=(0,), clipped=(3, 4))
    if check.wrong:
        wrong = (
            (one.count, ", ".join(map(str, one.lines)), text(one.reason_key, shell.language, **dict(one.values)))
            for one in check.wrong
        )
        shell.table(("rejected", "lines", "reason"), wrong, right=(0,))
    shell.say("cli.previewed")
