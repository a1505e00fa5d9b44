"""/tagging and /records/ID/tags: the records whose tags Bonsai is not sure of, a person's tags, and the way back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from bonsai.actions import tag
from bonsai.actions.tag import next_uncertain
from bonsai.queries import shapes
from bonsai.schemas.tagging import TagChoice, Tagged, TagPlace, TagTurn, TagVersion
from bonsai.web.api.request import SENDING, Key, Reading, RecordId, Reviewing, documented

router = APIRouter(tags=["tagging"])


@router.get("/tagging", **documented("next_uncertain", 404))
def read_next_uncertain(call: Reading, place: Annotated[TagPlace, Query()]) -> TagTurn:
    """The newest one, or the next after a record."""
    found = next_uncertain(call.b, call.site.tagger(), place.after)
    stored = shapes.record(found.stored, call.language) if found.stored else None
    return TagTurn(record=stored, categories=list(found.categories), left=found.left)


@router.post("/records/{record_id}/tags", **documented("tag_record", *SENDING, 404))
def tag_record(call: Reviewing, record_id: RecordId, said: TagChoice, key: Key = None) -> Tagged:
    """They win over all others; saying nothing changes nothing."""
    given = {name: value for name, value in said.model_dump().items() if value}
    if not given:
        return Tagged(record=record_id, version=None)
    version = tag.tag_record(call.b, record_id, **given, by=call.caller.name, now=call.now)
    call.noted("tag", record_id)
    return Tagged(record=record_id, version=version)


@router.post("/records/{record_id}/tags/undo", **documented("untag_record", *SENDING, 404))
def untag_record(call: Reviewing, record_id: RecordId, said: TagVersion, key: Key = None) -> Tagged:
    """The tags as they were; refused when somebody changed the record since."""
    tag.undo_tags(call.b, record_id, said.version, call.caller.name, call.now)
    call.noted("untag", record_id)
    return Tagged(record=record_id, version=None)
