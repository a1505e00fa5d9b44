"""How records look in the terminal."""

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
"Characters of an id that tables show; every command takes an unambiguous beginning of an id."
COUNTS = ("read", "new", "duplicate", "held_back", "rejected")


def short(*ids: str) -> str:
    """The beginnings of ids, as tables show them."""
    return ", ".join(found[:ID_LENGTH] for found in ids)


def on_one_line(text: str) -> str:
    """A text for a table that cuts it to the width it has."""
    return " ".join(text[:200].split())


def count_pairs(counts: ImportCounts) -> tuple[tuple[str, int], ...]:
    """What became of the records of a file; `read` is the sum of the others."""
    return tuple((name, int(getattr(counts, name))) for name in COUNTS)


def record_rows(records: Iterable[StoredRecord]) -> Iterator[tuple[str, ...]]:
    """One line a record."""
    for stored in records:
        record, tags = stored.record, stored.tags
        named = short(record.id), tags.language.value, tags.category.value, stored.status.value
        yield *named, on_one_line(record.instruction), on_one_line(record.output)


def record_pairs(detail: RecordDetail, language: TextLanguage) -> Iterator[tuple[str, object]]:
    """Everything about one record; a tag shows who gave it and how sure that was."""
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
    """What it said before each of its edits."""
    for version in detail.versions:
        said = version.content
        yield version.edited_at, version.edited_by, said.get("instruction", ""), said.get("output", "")


def reason(told: Reject, language: TextLanguage) -> str:
    """Why something became no record."""
    return text(told.reason_key, language, **dict(told.values))


def nothing_taken(first: Reject, count: int, language: TextLanguage) -> InputError:
    """A file of which every element was rejected, though they are kept: the wrong file, most likely."""
    why = reason(first, language)
    return InputError("pipeline.no_record", file=first.file, count=count, line=first.line, reason=why)


def tell_changed(shell: Shell, b: Bonsai, key: str, ids: Sequence[str], as_json: bool) -> None:
    """What was done, to which records; with `--json` a line for each."""
    if not as_json:
        shell.say(key, ids=short(*ids))
        return
    from bonsai.queries.records import show_record
    from bonsai.serializers.records import changed

    shell.json_lines(changed(show_record(b, one).stored) for one in ids)


def show_file(shell: Shell, check: FilePreview) -> None:
    """What it was recognised as, its first records with their tags, and what is wrong with how many lines."""
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
