"""What Bonsai would make of a draft, and what became of a submission."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bonsai.domain.records import Status
from bonsai.schemas.base import RequestModel, ResponseModel
from bonsai.schemas.records import CheckedAnswer, CheckedPassage, CheckedQuestion, Record, Tag


class Draft(RequestModel):
    """A record that is still being written."""

    instruction: CheckedQuestion = Field(description="api.field_instruction")
    output: CheckedAnswer = Field(description="api.field_output")
    input: CheckedPassage = Field("", description="api.field_input")


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
    state: Literal["waiting", "stored", "told_before", "rejected", "unreadable", "gone"] = Field(
        description="api.field_followed_state"
    )
    record: str | None = Field(description="api.field_followed_record")
    status: Status | None = Field(description="api.field_followed_status")
    detail: str | None = Field(description="api.field_followed_detail")
