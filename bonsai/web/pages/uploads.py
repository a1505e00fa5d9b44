"""Upload pages: send a file, preview it, import or cancel it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from bonsai.actions.uploads import (
    CHECKED_AT_ONCE,
    COUNTS,
    cancel_upload,
    check_upload,
    confirm_upload,
    problem_of,
    progress_of,
    receive_upload,
    sweep_uploads,
)
from bonsai.domain.records import Source
from bonsai.errors import InputError
from bonsai.queries.file_preview import FilePreview, PreviewColumn, PreviewProblem, PreviewRow
from bonsai.web.presenters.records import tag_words
from bonsai.web.problems import Problem
from bonsai.web.request import Contributor, Form, Visit
from bonsai.web.upload_body import Upload as Body
from storage import uploads
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
    result = upload.parts.get("result") or upload.parts.get("check") or {}
    problem = problem_of(result)
    if problem is not None:
        return visit.words_of(problem)
    match upload.state:
        case "confirmed" if done := progress_of(upload):
            return visit.text("entering.state_taking", count=done)
        case "done":
            return visit.text("entering.state_done", read=result["read"], new=result["new"])
        case _:
            return visit.text(f"entering.state_{upload.state}")


def page_of(visit: Visit, upload: Upload) -> dict[str, Any]:
    """Template values of an upload's page."""
    check_values = upload.parts.get("check", {})
    result = upload.parts.get("result", {})
    problem = problem_of(result) or problem_of(check_values)
    check = FilePreview.of(check_values) if check_values and not problem else None
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


router = APIRouter()
SHOWN_UPLOADS = 10


@router.get("/records/upload")
def ask(visit: Contributor) -> Response:
    """Upload form and recent uploads."""
    return _form(visit)


def _form(visit: Visit, problem: str = "") -> Response:
    return visit.page(
        "records/upload.html",
        422 if problem else 200,
        megabytes=visit.site.settings.upload_megabytes,
        suffixes=",".join(uploads.SUFFIXES),
        recent=recent(visit, uploads.listed(visit.b.places.uploads, SHOWN_UPLOADS)),
        problem=problem,
    )


@router.post("/records/upload")
def receive(visit: Contributor, body: Body) -> Response:
    """Store and preview a file: small ones at once, larger ones in their own process."""
    try:
        sweep_uploads(visit.b, visit.now)
        upload = receive_upload(visit.b, body.folder, body.path, body.name, visit.who, visit.now)
    finally:
        shutil.rmtree(body.folder, ignore_errors=True)
    if upload.size > CHECKED_AT_ONCE:
        visit.site.drain()
    else:
        upload = check_upload(visit.b, upload, visit.site.tagger())
    problem = problem_of(upload.parts.get("check", {}))
    if problem is not None:
        cancel_upload(visit.b, upload.id)
        return _refused(visit, problem)
    visit.noted("upload", upload.id)
    return visit.go(f"/records/upload/{upload.id}")


def _refused(visit: Visit, problem: InputError) -> Response:
    """The error in the form, or as JSON for the script that sent it."""
    if "application/json" in visit.request.headers.get("accept", ""):
        raise problem
    return _form(visit, visit.words_of(problem))


@router.get("/records/upload/{upload}")
def show(visit: Contributor, upload: str) -> Response:
    """Preview, progress or result of an upload."""
    return visit.page("records/uploaded.html", **page_of(visit, uploads.get(visit.b.places.uploads, upload)))


@router.get("/records/upload/{upload}/status")
def status(visit: Contributor, upload: str) -> Response:
    """Progress as JSON, for the page's script."""
    found = uploads.get(visit.b.places.uploads, upload)
    done = progress_of(found)
    return JSONResponse({"state": found.state, "words": words_of(visit, found), "done": done})


@router.post("/records/upload/{upload}/take")
def take(visit: Contributor, upload: str, form: Form) -> Response:
    """Confirm for import by the drain process, as `bonsai records import` does."""
    source = next((one for one in SOURCES if one == form.get("source", "import")), None)
    if source is None:
        raise Problem(422, "entering.problem_source")
    name = form.get("source_name", "").strip()
    found = confirm_upload(visit.b, upload, source=source, source_name=name, who=visit.who, now=visit.now)
    visit.noted("import", found.id)
    visit.site.drain()
    return visit.go(f"/records/upload/{found.id}")


@router.post("/records/upload/{upload}/cancel")
def cancel(visit: Contributor, upload: str) -> Response:
    """Remove the upload completely."""
    cancel_upload(visit.b, upload)
    visit.noted("cancel_upload", upload)
    return visit.go("/records/upload", "cancel")
