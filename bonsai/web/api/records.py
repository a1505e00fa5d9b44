"""/records: add one or many, list, read, edit, tag, forget; /submissions and /suggestions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from bonsai.actions import edit, tag
from bonsai.actions.forget import forget_records
from bonsai.actions.inbox import submit
from bonsai.actions.tag import next_uncertain
from bonsai.domain.records import Defaults, Limits, Origin, Reject, parse, reject
from bonsai.errors import ConflictError, UnknownId, UsageError
from bonsai.queries import suggestions
from bonsai.queries.records import page_of_records, show_record, submission_status
from bonsai.schemas import records
from bonsai.schemas.records import (
    Changed,
    Draft,
    Followed,
    Forgotten,
    RecordEdit,
    StatusChange,
    SuggestedTags,
    TagChoice,
    Tagged,
    TagPlace,
    TagTurn,
    TagVersion,
    VersionChoice,
)
from bonsai.serializers import records as serializer_records
from bonsai.web.api.problems import words_of
from bonsai.web.api.request import (
    CALLING,
    SENDING,
    Appending,
    Call,
    Key,
    Match,
    Reading,
    RecordId,
    Reviewing,
    SubmissionId,
    check_cursor,
    documented,
    quoted_etag,
)
from bonsai.web.problems import Problem
from storage.tables.records_table import RecordFilter

router = APIRouter(prefix="/records", tags=["records"])
API = Origin("api")
LINES = "application/x-ndjson"
MANY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "array", "minItems": 1, "items": {}, "description": "api.doc_many"},
                "example": [{"instruction": "Why does Mike sneeze?", "output": "Dust in the litter."}],
            },
            LINES: {"schema": {"type": "string", "description": "api.doc_lines"}},
        },
    }
}
"An item may be any JSON value: an invalid one gets its own result with the reason."


@router.post("", status_code=202, **documented("append", *SENDING, success="api.doc_202"))
def append_record(call: Appending, record: records.NewRecord, key: Key = None) -> records.Submission:
    """Submit to the inbox, as the form does."""
    made = _submitted(call, record)
    if isinstance(made, str):
        raise Problem(422, "api.no_record", reason=made)
    call.noted("add", made.submission)
    call.site.drain()
    return made


@router.post("/batch", openapi_extra=MANY, **documented("append_many", *SENDING))
async def append_records(call: Appending, request: Request, key: Key = None) -> records.Batch:
    """Submit each item on its own: an invalid one does not block the others."""
    body = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    items = list(_lines(body) if kind == LINES else _elements(body))
    if not items:
        raise Problem(422, "api.no_items")
    if len(items) > call.b.config.api.items:
        raise Problem(413, "api.too_many", count=len(items), most=call.b.config.api.items)
    return await run_in_threadpool(_take, call, items)


def _take(call: Call, raw_items: list[bytes]) -> records.Batch:
    items = [_item(call, number, one) for number, one in enumerate(raw_items, 1)]
    accepted = sum(one.accepted for one in items)
    call.noted("add_many", f"{accepted}/{len(items)}")
    if accepted:
        call.site.drain()
    return records.Batch(accepted=accepted, rejected=len(items) - accepted, items=items)


def _lines(body: bytes) -> Iterator[bytes]:
    return (line for line in body.split(b"\n") if line.strip())


def _elements(body: bytes) -> Iterator[bytes]:
    try:
        elements = json.loads(body)
    except (ValueError, RecursionError):
        raise Problem(400, "api.no_json_text") from None
    if not isinstance(elements, list):
        raise Problem(422, "api.no_list")
    return (json.dumps(one).encode() for one in elements)


def _item(call: Call, number: int, raw: bytes) -> records.Item:
    try:
        made = _submitted(call, records.NewRecord.model_validate_json(raw))
    except ValidationError as error:
        made = words_of(error, call.language)
    if isinstance(made, str):
        return records.Item(number=number, accepted=False, detail=made)
    return records.Item(number=number, accepted=True, submission=made.submission, record=made.record)


def _submitted(call: Call, record: records.NewRecord) -> records.Submission | str:
    """The submission, or why the record is invalid."""
    fields = {name: str(value) for name, value in record.model_dump(exclude_none=True).items() if value != ""}
    fields |= {"author": call.caller.name}
    limits = call.b.config.records
    made = _too_long(fields, limits) or parse(fields, API, Defaults(source="self"), limits)
    if isinstance(made, Reject):
        return call.text(made.reason_key, **dict(made.values))
    return records.Submission(submission=submit(call.b, fields, call.now, API), record=made.id)


def _too_long(fields: dict[str, str], limits: Limits) -> Reject | None:
    """Checks the text as sent, invisible characters included, because `maxLength` in the document counts those."""
    for name, value in fields.items():
        longest = getattr(limits, f"{name}_characters", limits.note_characters)
        if len(value) > longest:
            return reject(API, "", "records.too_long", field=name, characters=len(value), limit=longest)
    return None


@router.api_route("/batch", methods=["GET", "PATCH"], include_in_schema=False)
def no_batch_is_kept(_: Reading) -> None:
    """Otherwise the path would be read as a record id."""
    raise HTTPException(405)


@router.get("", **documented("list_records", 404))
def list_records(call: Reading, page: Annotated[records.RecordPage, Query()]) -> records.Records:
    """Newest first; the cursor is the last id, so that new records shift nothing."""
    record_filter = RecordFilter(
        text=page.text,
        language=page.language or "",
        category=page.category.value if page.category else "",
        status=page.status.value if page.status else "",
        subject=page.subject,
        source=page.source or "",
        author=page.author,
        since=page.since,
        until=page.until,
        uncertain=page.uncertain,
    )
    found = page_of_records(call.b, record_filter, page.limit, page.cursor or "")
    if page.cursor and not found.records:
        check_cursor(page.cursor, lambda name: show_record(call.b, name).stored.record.id)
    items = [serializer_records.record(one, call.language) for one in found.records]
    return records.Records(items=items, next_cursor=found.rest or None)


@router.get("/{record_id}", **documented("read_record", 404, tagged=True))
def read_record(call: Reading, record_id: RecordId, response: Response) -> records.RecordDetail:
    """Texts, tags, versions, and the adapters trained on it."""
    found = show_record(call.b, record_id)
    response.headers["ETag"] = quoted_etag(found.stored)
    return serializer_records.record_detail(found, call.language)


changes = APIRouter(prefix="/records", tags=["records"])


@changes.patch("/{record_id}", **documented("edit_record", *SENDING, 404, 412, tagged=True))
def edit_record(
    call: Reviewing, record_id: RecordId, said: RecordEdit, response: Response, if_match: Match = None, key: Key = None
) -> Changed:
    """Changed texts give the record a new id, which the answer names; the old content stays among the versions."""
    changes = said.model_dump(exclude_none=True)
    with _as_seen(if_match) as seen:
        made = edit.edit_record(call.b, record_id, changes, call.caller.name, call.now, seen)
    call.noted("edit", made)
    return _changed(call, made, response)


@changes.post("/{record_id}/restore", **documented("restore_record", *SENDING, 404, 412, tagged=True))
def restore_record(
    call: Reviewing,
    record_id: RecordId,
    said: VersionChoice,
    response: Response,
    if_match: Match = None,
    key: Key = None,
) -> Changed:
    """An edit too, and can be undone."""
    count = len(show_record(call.b, record_id).versions)
    if said.number > count:
        raise Problem(404, "curating.no_version", number=said.number, count=count)
    with _as_seen(if_match) as seen:
        made = edit.restore_version(call.b, record_id, said.number, call.caller.name, call.now, seen)
    call.noted("restore", made)
    return _changed(call, made, response)


@changes.post("/{record_id}/status", **documented("change_status", *SENDING, 404, tagged=True))
def change_status(
    call: Reviewing, record_id: RecordId, said: StatusChange, response: Response, key: Key = None
) -> Changed:
    """Release or exclude."""
    act = edit.release_records if said.action == "release" else edit.exclude_records
    [made] = act(call.b, [record_id], call.caller.name, call.now)
    call.noted(said.action, made)
    return _changed(call, made, response)


@changes.post("/{record_id}/forget", **documented("forget_record", *CALLING, 404))
def forget_record(call: Reviewing, record_id: RecordId, key: Key = None) -> Forgotten:
    """Permanent; idempotent."""
    made = forget_records(call.b, [record_id], call.caller.name, call.now, here=False)
    call.site.drain()
    call.noted("forget", record_id)
    return Forgotten.model_validate(made)


@contextmanager
def _as_seen(if_match: str | None) -> Iterator[str]:
    """The etag that the client saw; empty without `If-Match`. A conflict inside becomes a 412."""
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
    return serializer_records.changed(stored)


tagging = APIRouter(tags=["tagging"])


@tagging.get("/tagging", **documented("next_uncertain", 404))
def read_next_uncertain(call: Reading, place: Annotated[TagPlace, Query()]) -> TagTurn:
    """The newest uncertain record, or the next after one."""
    found = next_uncertain(call.b, call.site.tagger(), place.after)
    stored = serializer_records.record(found.stored, call.language) if found.stored else None
    return TagTurn(record=stored, categories=list(found.categories), left=found.left)


@tagging.post("/records/{record_id}/tags", **documented("tag_record", *SENDING, 404))
def tag_record(call: Reviewing, record_id: RecordId, said: TagChoice, key: Key = None) -> Tagged:
    """A person's tags override all others; an empty request changes nothing."""
    given = {name: value for name, value in said.model_dump().items() if value}
    if not given:
        return Tagged(record=record_id, version=None)
    version = tag.tag_record(call.b, record_id, **given, by=call.caller.name, now=call.now)
    call.noted("tag", record_id)
    return Tagged(record=record_id, version=version)


@tagging.post("/records/{record_id}/tags/undo", **documented("untag_record", *SENDING, 404))
def untag_record(call: Reviewing, record_id: RecordId, said: TagVersion, key: Key = None) -> Tagged:
    """Restore the previous tags; refused if the record changed since."""
    tag.undo_tags(call.b, record_id, said.version, call.caller.name, call.now)
    call.noted("untag", record_id)
    return Tagged(record=record_id, version=None)


submissions = APIRouter(tags=["records"])


@submissions.post("/suggestions", **documented("suggest", *SENDING))
def suggest(call: Reading, said: Draft) -> SuggestedTags:
    """Stores nothing, not even the response: no Idempotency-Key."""
    found = suggestions.suggest(call.b, said.model_dump(), call.site.tagger())
    if found is None:
        raise UsageError("pipeline.nothing_to_suggest")
    return serializer_records.suggested_tags(found, call.language)


@submissions.get("/submissions/{submission}", **documented("follow", 404))
def read_submission(call: Appending, submission: SubmissionId) -> Followed:
    """State of a submission for clients that may append; contains no record text."""
    [found] = submission_status(call.b, [submission])
    if found.state == "gone":
        raise UnknownId("api.unknown_submission", id=submission[:80])
    return serializer_records.followed(found, call.language)
