"""Adapter pages: list, details with manifest, lineage and files, and download."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from bonsai.queries import adapters
from bonsai.web import parameters
from bonsai.web.presenters import adapters as pages
from bonsai.web.request import Contributor, Reviewer

router = APIRouter(prefix="/adapters")
CHECKED_BYTES = 8_000_000
"Adapters up to this size are verified on every view, in 20 ms; larger ones on request."


@router.get("")
def list_(visit: Contributor) -> Response:
    """Newest first, paginated."""
    size, before = visit.site.settings.page_size, visit.request.query_params.get("before", "")
    found = adapters.list_adapters(visit.b, size + 1, before)
    return visit.page(
        "adapters/list.html",
        rows=[pages.row(visit, one) for one in found[:size]],
        before=before,
        following=found[size - 1].id if len(found) > size else "",
    )


@router.get("/{adapter_id}")
def show(visit: Contributor, adapter_id: str) -> Response:
    """Manifest, lineage, a page of training records, files."""
    given, size = visit.request.query_params, visit.site.settings.page_size
    after = parameters.number(given, "after", -1)
    with visit.at_once():
        found = adapters.show_adapter(visit.b, adapter_id)
        records = adapters.learned_records(visit.b, found.passport.snapshot_id, size + 1, after)
    wanted = parameters.one_of(given, "check", ("1",))
    checked = found.line.size <= CHECKED_BYTES or wanted == "1"
    problem = adapters.check_files(found) if checked else None
    return visit.page(
        "adapters/adapter.html",
        found=found,
        row=pages.row(visit, found.line),
        passport=pages.passport_rows(visit, found.passport),
        recipe=pages.recipe_rows(found.passport),
        ancestors=[pages.row(visit, one) for one in found.ancestors],
        files=pages.file_rows(found),
        records=[pages.learned_row(visit, one) for one in records[:size]],
        later=after >= 0,
        following=records[size - 1].place if len(records) > size else None,
        checked=checked,
        problem=visit.words_of(problem) if problem else "",
        sha256=adapters.archive_hash(found) if checked and not problem else "",
        download=pages.in_units(adapters.archive_size(found)),
        may_download=visit.person is not None and visit.person.may("reviewer"),
    )


@router.get("/{adapter_id}/download")
def download(visit: Reviewer, adapter_id: str) -> Response:
    """The folder as a verified .tar; streamed, so that size does not matter."""
    found = adapters.show_adapter(visit.b, adapter_id)
    adapters.require_whole(found)
    visit.noted("download", found.line.id)
    headers = {
        "Content-Disposition": f'attachment; filename="bonsai-adapter-{found.line.id}.tar"',
        "Content-Length": str(adapters.archive_size(found)),
    }
    return StreamingResponse(adapters.archive(found), media_type="application/x-tar", headers=headers)
