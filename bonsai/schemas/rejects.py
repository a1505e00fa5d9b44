"""Rejected lines, their repair and their dismissal."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from bonsai.schemas.base import RequestModel, ResponseModel
from bonsai.schemas.promotions import LONGEST_REASON
from bonsai.schemas.records import SEEN

LONGEST_LINE = 100_000
"Characters."


class Repair(RequestModel):
    """A repaired line."""

    raw: str = Field(max_length=LONGEST_LINE, description="api.field_repaired_raw")


class Dismissal(RequestModel):
    """Why a line is dismissed."""

    reason: str = Field(max_length=LONGEST_REASON, pattern=SEEN, description="api.field_dismissal")


class RejectedLine(ResponseModel):
    """A line that became no record."""

    id: str = Field(description="api.field_reject")
    file: str = Field(description="api.field_reject_file")
    line: int = Field(description="api.field_reject_line")
    raw: str = Field(description="api.field_reject_raw")
    cut: bool = Field(description="api.field_reject_cut")
    reason: str = Field(description="api.field_reject_reason")
    columns: list[str] = Field(description="api.field_reject_columns")
    state: Literal["open", "mended", "dismissed", "forgotten"] = Field(description="api.field_reject_state")
    created_at: datetime = Field(description="api.field_created_at")


class RejectedLines(ResponseModel):
    """A page of them, in the order of their arrival."""

    items: list[RejectedLine] = Field(description="api.field_items")
    next_cursor: str | None = Field(description="api.field_next_cursor")


class Repaired(ResponseModel):
    """Result of a repair."""

    accepted: bool = Field(description="api.field_repaired")
    records: list[str] = Field(description="api.field_repaired_records")
    detail: str | None = Field(description="api.field_detail")


class Dismissed(ResponseModel):
    """A line that was dismissed."""

    reject: str = Field(description="api.field_reject")
