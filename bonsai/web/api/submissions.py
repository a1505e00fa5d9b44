"""/suggestions and /submissions: what Bonsai would make of a record, and what became of one that was told."""

from __future__ import annotations

from fastapi import APIRouter

from bonsai.errors import UnknownId, UsageError
from bonsai.queries import suggestions
from bonsai.queries.submissions import submission_status
from bonsai.schemas.records import Tag
from bonsai.schemas.submissions import Draft, Followed, SuggestedTags
from bonsai.web.api.request import SENDING, Appending, Reading, SubmissionId, documented
from bonsai.web.api.shown import record_of

router = APIRouter(tags=["records"])


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
