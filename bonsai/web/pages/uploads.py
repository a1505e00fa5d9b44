"""Upload pages: receive, preview, import with live progress, cancel.

Without script the pages reload while work is in progress; with it, they poll a small JSON response.
"""

from __future__ import annotations

import shutil

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from bonsai.actions.uploads import (
    CHECKED_AT_ONCE,
    cancel_upload,
    check_upload,
    confirm_upload,
    problem_of,
    progress_of,
    receive_upload,
    sweep_uploads,
)
from bonsai.errors import InputError
from bonsai.web.presenters.uploads import SOURCES, page_of, recent, words_of
from bonsai.web.problems import Problem
from bonsai.web.request import Contributor, Form, Visit
from bonsai.web.upload_body import Upload as Body
from storage import uploads

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
