"""/suggestions and /submissions: what Bonsai would make of a record, and what became of one that was told."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from bonsai.domain.records import Status
from bonsai.errors import UnknownId, UsageError
from bonsai.queries import suggestions
from bonsai.queries.submissions import submission_status
from bonsai.schemas.base import RequestModel, ResponseModel
from bonsai.schemas.records import Record, Tag
from bonsai.web.api.record_changes import Answer, Asked, Passage
from bonsai.web.api.request import SENDING, Appending, Reading, SubmissionId, documented
from bonsai.web.api.shown import record_of

router = APIRouter(tags=["records"])


class Draft(RequestModel):
    """A record that is still being written."""

    instruction: Asked = Field(description="api.field_instruction")
    output: Answer = Field(description="api.field_output")
    input: Passage = Field("", description="api.field_input")


class SuggestedTags(ResponseModel):
    """What Bonsai makes of a record before it is told."""

    language: Tag = Field(description="api.field_language")
    category: Tag = Field(description="api.field_category")
    likely: list[str] = Field(description="api.field_likely")
    exact: Record | None = Field(description="api.field_exact")
    contradicts: list[Record] = Field(description="api.field_contradicts")
    near: list[Record] = Field(description="api.field_near")


class Followed(ResponseModel):
    """What became of what was told."""

    submission: str = Field(description="api.field_submission")
    state: Literal["waiting", "stored", "told_before", "rejected", "unreadable"] = Field(
        description="api.field_followed_state"
    )
    record: str | None = Field(description="api.field_followed_record")
    status: Status | None = Field(description="api.field_followed_status")
    detail: str | None = Field(description="api.field_followed_detail")


@router.post("/suggestions", **documented("suggest", *SENDING))
def suggest(call: Reading, said: Draft) -> SuggestedTags:
    """Nothing is kept, this answer neither: it takes no Idempotency-Key."""
    found = suggestions.suggest(call.b, said.model_dump(), call.site.tagger())
    if found is None:
        raise UsageError("pipeline.nothing_to_suggest")
    return SuggestedTags(
        language=Tag.model_validate(found.tags.language),
        category=Tag.model_validate(found.tags.category),
        likely=list(found.likely),
        exact=record_of(call, found.exact) if found.exact else None,
        contradicts=[record_of(call, one) for one in found.contradicts],
        near=[record_of(call, one) for one in found.near],
    )


@router.get("/submissions/{submission}", **documented("follow", 404))
def read_submission(call: Appending, submission: SubmissionId) -> Followed:
    """Whoever may append learns what became of it, and reads no record."""
    [found] = submission_status(call.b, [submission])
    if found.state == "gone":
        raise UnknownId("api.unknown_submission", id=submission[:80])
    stored, detail = found.stored, None
    if found.reject:
        detail = call.text(found.reject.reason_key, **dict(found.reject.values))
    elif stored and stored.reason:
        detail = call.text(stored.reason.key, **dict(stored.reason.values))
    return Followed(
        submission=submission,
        state=found.state,
        record=stored.record.id if stored else None,
        status=stored.status if stored else None,
        detail=detail,
    )
