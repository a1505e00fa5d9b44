"""Presenter of the upload pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bonsai.actions.uploads import COUNTS, problem_of, progress_of
from bonsai.domain.records import Source
from bonsai.queries.file_preview import FilePreview, PreviewColumn, PreviewProblem, PreviewRow
from bonsai.web.presenters.records import tag_words
from bonsai.web.request import Visit
from storage.uploads import Upload

SOURCES: tuple[Source, ...] = ("import", "self", "community")


@dataclass(frozen=True, slots=True)
class Recent:
    """An upload in the list."""

    id: str
    name: str
    at: Any
    state: str
    words: str


def recent(visit: Visit, found: Sequence[Upload]) -> list[Recent]:
    """One row each."""
    return [Recent(one.id, one.name, one.at, one.state, words_of(visit, one)) for one in found]


def words_of(visit: Visit, upload: Upload) -> str:
    """Progress or result of an upload."""
    told = upload.parts.get("result") or upload.parts.get("check") or {}
    problem = problem_of(told)
    if problem is not None:
        return visit.words_of(problem)
    match upload.state:
        case "confirmed" if done := progress_of(upload):
            return visit.text("entering.state_taking", count=done)
        case "done":
            return visit.text("entering.state_done", read=told["read"], new=told["new"])
        case _:
            return visit.text(f"entering.state_{upload.state}")


def page_of(visit: Visit, upload: Upload) -> dict[str, Any]:
    """Template values of an upload's page."""
    told = upload.parts.get("check", {})
    result = upload.parts.get("result", {})
    problem = problem_of(result) or problem_of(told)
    check = FilePreview.of(told) if told and not problem else None
    return {
        "upload": upload,
        "words": words_of(visit, upload),
        "size": size_words(upload.size),
        "problem": visit.words_of(problem) if problem else "",
        "running": upload.state in ("unchecked", "confirmed"),
        "so_far": progress_of(upload),
        "check": check,
        "form_words": _form_words(visit, check) if check else "",
        "columns": [_column(visit, one) for one in check.columns] if check else [],
        "wrong": [_wrong(visit, one) for one in check.wrong] if check else [],
        "rows": [_row(visit, one) for one in check.rows] if check else [],
        "counts": [(visit.text(f"entering.count_{name}"), result[name]) for name in COUNTS if name in result],
        "sources": [(one, visit.text(f"entering.source_{one}")) for one in SOURCES],
    }


def size_words(size: int) -> str:
    """Bytes, kB or MB."""
    for unit, name in ((1_000_000, "MB"), (1_000, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} B"


def _form_words(visit: Visit, check: FilePreview) -> str:
    """Format, encoding, delimiter."""
    return " · ".join(_form_parts(visit, check))


def _form_parts(visit: Visit, check: FilePreview) -> Iterator[str]:
    yield visit.text(f"entering.format_{check.format.replace('-', '_')}")
    if check.encoding:
        yield visit.text("entering.encoding", name=check.encoding.upper().replace("_", "-"))
    if check.delimiter:
        yield visit.text(
            "entering.delimiter", name=visit.text("entering.tab") if check.delimiter == "\t" else check.delimiter
        )


def _column(visit: Visit, column: PreviewColumn) -> tuple[str, str]:
    """A column's name and the field that it maps to."""
    return column.name, visit.text(f"entering.field_{column.field or 'none'}")


def _wrong(visit: Visit, wrong: PreviewProblem) -> tuple[int, str, str, str]:
    """Count, reason, lines, and the first one's text."""
    lines = ", ".join(map(str, wrong.lines)) + (", …" if wrong.count > len(wrong.lines) else "")
    return wrong.count, visit.text(wrong.reason_key, **dict(wrong.values)), lines, wrong.raw


def _row(visit: Visit, row: PreviewRow) -> tuple[PreviewRow, str, str]:
    """A record with localised tags."""
    return row, tag_words(visit, "language", row.language), tag_words(visit, "category", row.category)
