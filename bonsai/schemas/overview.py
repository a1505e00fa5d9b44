"""How everything stands: champion, pending work, coverage."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from bonsai.schemas.base import ResponseModel


class Champion(ResponseModel):
    """Who answers, and since when."""

    adapter: str = Field(description="api.field_champion")
    since: datetime | None = Field(description="api.field_since")
    who: str = Field(description="api.field_promoted_by")


class Waiting(ResponseModel):
    """How much waits for a person, or for the next intake."""

    promotions: int = Field(description="api.field_waiting_promotions")
    held_back: int = Field(description="api.field_waiting_held_back")
    contradictions: int = Field(description="api.field_waiting_contradictions")
    suspects: int = Field(description="api.field_waiting_suspects")
    uncertain: int = Field(description="api.field_waiting_uncertain")
    rejects: int = Field(description="api.field_waiting_rejects")
    inbox: int = Field(description="api.field_waiting_inbox")


class Coverage(ResponseModel):
    """How many records there are of one kind."""

    language: str = Field(description="api.field_language")
    category: str = Field(description="api.field_category")
    records: int = Field(description="api.field_records_count")


class Overview(ResponseModel):
    """Where everything stands."""

    champion: Champion = Field(description="api.field_champion_now")
    waiting: Waiting = Field(description="api.field_waiting")
    coverage: list[Coverage] = Field(description="api.field_coverage")
