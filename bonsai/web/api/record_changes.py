"""/records/ID: edit, go back to a version, release or exclude, forget.

The `ETag` of a record is that of all that can be edited: whoever edits with `If-Match` edits what they saw, and
overwrites nobody (RFC 9110, 13.1.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import APIRouter, Response

from bonsai.actions import edit
from bonsai.actions.forget import forget_records
from bonsai.errors import ConflictError
from bonsai.queries import shapes
from bonsai.queries.records import show_record
from bonsai.schemas.records import Changed, Forgotten, RecordEdit, StatusChange, VersionChoice
from bonsai.web.api.request import CALLING, SENDING, Call, Key, Match, RecordId, Reviewing, documented, quoted_etag
from bonsai.web.problems import Problem

router = APIRouter(prefix="/records", tags=["records"])


@router.patch("/{record_id}", **documented("edit_record", *SENDING, 404, 412, tagged=True))
def edit_record(
    call: Reviewing, record_id: RecordId, said: RecordEdit, response: Response, if_match: Match = None, key: Key = None
) -> Changed:
    """Other texts make another record, to which the answer's id leads; the old one stays among its versions."""
    changes = said.model_dump(exclude_none=True)
    with _as_seen(if_match) as seen:
        made = edit.edit_record(call.b, record_id, changes, call.caller.name, call.now, seen)
    call.noted("edit", made)
    return _changed(call, made, response)


@router.post("/{record_id}/restore", **documented("restore_record", *SENDING, 404, 412, tagged=True))
def restore_record(
    call: Reviewing,
    record_id: RecordId,
    said: VersionChoice,
    response: Response,
    if_match: Match = None,
    key: Key = None,
) -> Changed:
    """That is an edit too, and can be taken back."""
    count = len(show_record(call.b, record_id).versions)
    if said.number > count:
        raise Problem(404, "curating.no_version", number=said.number, count=count)
    with _as_seen(if_match) as seen:
        made = edit.restore_version(call.b, record_id, said.number, call.caller.name, call.now, seen)
    call.noted("restore", made)
    return _changed(call, made, response)


@router.post("/{record_id}/status", **documented("change_status", *SENDING, 404, tagged=True))
def change_status(
    call: Reviewing, record_id: RecordId, said: StatusChange, response: Response, key: Key = None
) -> Changed:
    """Let it train, or keep it from training."""
    act = edit.release_records if said.action == "release" else edit.exclude_records
    [made] = act(call.b, [record_id], call.caller.name, call.now)
    call.noted(said.action, made)
    return _changed(call, made, response)


@router.post("/{record_id}/forget", **documented("forget_record", *CALLING, 404))
def forget_record(call: Reviewing, record_id: RecordId, key: Key = None) -> Forgotten:
    """For good; repeating it changes nothing."""
    made = forget_records(call.b, [record_id], call.caller.name, call.now, here=False)
    call.site.drain()
    call.noted("forget", record_id)
    return Forgotten.model_validate(made)


@contextmanager
def _as_seen(if_match: str | None) -> Iterator[str]:
    """The stamp of what the person saw, empty where they do not say; 412 when it is another one by now."""
    if if_match is None or if_match == "*":
        yield ""
        return
    try:
        yield if_match.strip('"') or "-"
    except ConflictError as error:
        raise Problem(412, error.key, **error.values) from error


def _changed(call: Call, record_id: str, response: Response) -> Changed:
    stored = show_record(call.b, record_id).stored
    response.headers["ETag"] = quoted_etag(stored)
    return shapes.changed(stored)
