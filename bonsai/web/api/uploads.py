"""/uploads: send a file, preview it, then import (at once with `take`) or cancel it.

A client that may append sees its own uploads; with the scope `read`, all of them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request

from bonsai.actions import uploads as uploads_action
from bonsai.actions.uploads import problem_of, progress_of
from bonsai.errors import UnknownId
from bonsai.queries.file_preview import FilePreview
from bonsai.schemas.base import PageRequest
from bonsai.schemas.records import Counts
from bonsai.schemas.uploads import TakeAs, Upload, UploadAs, Uploaded, Uploads
from bonsai.serializers import records
from bonsai.web.api.nights import start_after
from bonsai.web.api.request import CALLING, SENDING, Appending, Call, Key, UploadId, documented
from storage import uploads
from storage.uploads import Upload as Stored

router = APIRouter(prefix="/uploads", tags=["files"])
KEPT = "api.doc_202_upload"
FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary", "description": "api.doc_file"},
            }
        },
    }
}


@router.post("", status_code=202, openapi_extra=FILE, **documented("upload", *SENDING, 507, success=KEPT))
def upload_file(call: Appending, request: Request, query: Annotated[UploadAs, Query()], key: Key = None) -> Uploaded:
    """The file is already on disk (`upload_body`); a small one is checked at once, a larger one by the drain."""
    arrived = request.state.arrived
    uploads_action.sweep_uploads(call.b, call.now)
    made = uploads_action.receive_upload(call.b, arrived.folder, arrived.path, query.name, call.caller.name, call.now)
    if made.size <= uploads_action.CHECKED_AT_ONCE:
        made = uploads_action.check_upload(call.b, made, call.site.tagger())
    problem = problem_of(made.parts.get("check", {}))
    if problem is not None:
        uploads_action.cancel_upload(call.b, made.id)
        raise problem
    call.noted("upload", made.id)
    if query.take:
        return _uploaded(_take(call, made.id, query.source, query.source_name))
    if made.state == "unchecked":
        call.site.drain()
    return _uploaded(made)


@router.get("", **documented("list_uploads", 404))
def list_uploads(call: Appending, page: Annotated[PageRequest, Query()]) -> Uploads:
    """Newest first."""
    found = [one for one in uploads.listed(call.b.places.uploads) if _may_see(call, one)]
    start = start_after([one.id for one in found], page.cursor)
    shown = found[start : start + page.limit]
    more = shown[-1].id if start + page.limit < len(found) else None
    return Uploads(items=[_uploaded(one) for one in shown], next_cursor=more)


@router.get("/{upload}", **documented("read_upload", 404))
def read_upload(call: Appending, upload: UploadId) -> Upload:
    """Preview, progress of the import, or counts, depending on the state."""
    return _shown(call, _own(call, upload))


@router.post("/{upload}/take", status_code=202, **documented("take_upload", *SENDING, 404, success=KEPT))
def take_upload(call: Appending, upload: UploadId, said: TakeAs, key: Key = None) -> Uploaded:
    """Import: valid lines become records, invalid ones rejects."""
    return _uploaded(_take(call, _own(call, upload).id, said.source, said.source_name))


@router.post("/{upload}/cancel", **documented("cancel_upload", *CALLING, 404))
def cancel_upload(call: Appending, upload: UploadId, key: Key = None) -> Uploaded:
    """Remove the upload completely; refused once the import was confirmed."""
    found = _own(call, upload)
    uploads_action.cancel_upload(call.b, found.id)
    call.noted("cancel_upload", found.id)
    return _uploaded(found)


def _take(call: Call, upload: str, source: Literal["import", "self", "community"], name: str) -> Stored:
    who = call.caller.name
    found = uploads_action.confirm_upload(
        call.b, upload, source=source, source_name=name.strip(), who=who, now=call.now
    )
    call.noted("import", found.id)
    call.site.drain()
    return found


def _may_see(call: Call, one: Stored) -> bool:
    return one.who == call.caller.name or call.caller.may("read")


def _own(call: Call, upload: str) -> Stored:
    found = uploads.get(call.b.places.uploads, upload)
    if not _may_see(call, found):
        raise UnknownId("storage.unknown_upload", id=upload)
    return found


def _uploaded(one: Stored) -> Uploaded:
    check = one.parts.get("check", {})
    return Uploaded(upload=one.id, state=one.state, read=check.get("read"), rejected=check.get("rejected"))


def _shown(call: Call, one: Stored) -> Upload:
    check, result = one.parts.get("check", {}), one.parts.get("result", {})
    problem = problem_of(result) or problem_of(check)
    return Upload(
        **_uploaded(one).model_dump(),
        **{name: getattr(one, name) for name in ("name", "size", "who", "at")},
        problem=problem.render(call.language) if problem else None,
        check=records.upload_check(FilePreview.of(check), call.language) if check and not problem else None,
        done=progress_of(one),
        counts=Counts.model_validate(result, from_attributes=False) if result and not problem else None,
    )
