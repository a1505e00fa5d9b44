"""/tagging and /records/ID/tags: the records whose tags Bonsai is not sure of, a person's tags, and the way back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from bonsai.actions import tag
from bonsai.actions.tag import next_uncertain
from bonsai.domain.records import Language
from bonsai.schemas.base import RequestModel, ResponseModel
from bonsai.schemas.records import Kind, Record, Whole, Word
from bonsai.web.api.request import SENDING, Key, Reading, RecordId, Reviewing, documented
from bonsai.web.api.shown import record_of

router = APIRouter(tags=["tagging"])


class TagPlace(RequestModel):
    """Where in the queue."""

    after: str = Field("", pattern="^([0-9a-f]{64})?$", description="api.field_tag_after")


class TagChoice(RequestModel):
    """A person's tags: what is left out stays as it is."""

    language: Language | None = Field(None, description="api.field_language")
    category: Kind | None = Field(None, description="api.field_category")
    reasoning: Word = Field("", description="api.field_reasoning")


class TagVersion(RequestModel):
    """Which tagging is taken back."""

    version: Whole = Field(ge=1, le=1_000_000, description="api.field_tag_version")


class TagTurn(ResponseModel):
    """Whose turn it is."""

    record: Record | None = Field(description="api.field_turn_record")
    categories: list[str] = Field(description="api.field_turn_categories")
    left: int = Field(description="api.field_turn_left")


class Tagged(ResponseModel):
    """A record that was tagged."""

    record: str = Field(description="api.field_record")
    version: int | None = Field(description="api.field_tag_version")


@router.get("/tagging", **documented("next_uncertain", 404))
def read_next_uncertain(call: Reading, place: Annotated[TagPlace, Query()]) -> TagTurn:
    """The newest one, or the next after a record."""
    found = next_uncertain(call.b, call.site.tagger(), place.after)
    stored = record_of(call, found.stored) if found.stored else None
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
