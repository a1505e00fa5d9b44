"""Pairs of records, and decisions on them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from bonsai.domain.records import Keep, PairKind
from bonsai.schemas.base import PageRequest, RequestModel, ResponseModel
from bonsai.schemas.records import Record


class PairPage(PageRequest):
    """Which pairs."""

    kind: PairKind = Field("contradiction", description="api.field_pair_kind")


class PairDecision(RequestModel):
    """Which of the records train."""

    keep: Keep = Field(description="api.field_keep")
    seen: list[Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] | None = Field(
        None, max_length=100, description="api.field_pair_seen"
    )


class Pair(ResponseModel):
    """A record that waits, and what it stands against."""

    record: Record = Field(description="api.field_pair_record")
    others: list[Record] = Field(description="api.field_pair_others")


class Pairs(ResponseModel):
    """A page of what waits for one reason, the newest first."""

    items: list[Pair] = Field(description="api.field_items")
    next_cursor: str | None = Field(description="api.field_next_cursor")
    counts: dict[str, int] = Field(description="api.field_pair_counts")


class PairResult(ResponseModel):
    """What became of a pair."""

    kept: list[str] = Field(description="api.field_kept")
    excluded: list[str] = Field(description="api.field_excluded")


class Reopened(ResponseModel):
    """A decision that was taken back."""

    records: list[str] = Field(description="api.field_reopened")


class DecidedPair(ResponseModel):
    """What somebody decided on a pair."""

    record: str = Field(description="api.field_pair_record_id")
    others: list[str] = Field(description="api.field_pair_other_ids")
    kept: Literal["this", "other", "both"] = Field(description="api.field_keep")
    who: str = Field(description="api.field_who")
    at: datetime = Field(description="api.field_log_at")
    reopens: bool = Field(description="api.field_reopens")
    taken_back_by: str = Field(description="api.field_taken_back_by")
    taken_back_at: datetime | None = Field(description="api.field_taken_back_at")


class DecidedPairs(ResponseModel):
    """A page of decisions on pairs, the newest first."""

    items: list[DecidedPair] = Field(description="api.field_items")
    next_cursor: str | None = Field(description="api.field_next_cursor")
