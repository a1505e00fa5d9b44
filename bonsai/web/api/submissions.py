"""/suggestions and /submissions: what Bonsai would make of a record, and what became of one that was told."""

from __future__ import annotations

from fastapi import APIRouter

from bonsai.errors import UnknownId, UsageError
from bonsai.queries import shapes, suggestions
from bonsai.queries.submissions import submission_status
from bonsai.schemas.submissions import Draft, Followed, SuggestedTags
from bonsai.web.api.request import SENDING, Appending, Reading, SubmissionId, documented

router = APIRouter(tags=["records"])


@router.post("/suggestions", **documented("suggest", *SENDING))
def suggest(call: Reading, said: Draft) -> SuggestedTags:
    """Nothing is kept, this answer neither: it takes no Idempotency-Key."""
    found = suggestions.suggest(call.b, said.model_dump(), call.site.tagger())
    if found is None:
        raise UsageError("pipeline.nothing_to_suggest")
    return shapes.suggested_tags(found, call.language)


@router.get("/submissions/{submission}", **documented("follow", 404))
def read_submission(call: Appending, submission: SubmissionId) -> Followed:
    """Whoever may append learns what became of it, and reads no record."""
    [found] = submission_status(call.b, [submission])
    if found.state == "gone":
        raise UnknownId("api.unknown_submission", id=submission[:80])
    return shapes.followed(found, call.language)
