"""The queue of uncertain tags, and a person's tags."""

from __future__ import annotations

from pydantic import Field

from bonsai.domain.records import Language
from bonsai.schemas.base import RequestModel, ResponseModel
from bonsai.schemas.records import Kind, Record, Whole, Word


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
