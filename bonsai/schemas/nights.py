"""Nights: one, a list, its progress; and a request to start one."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from bonsai.schemas.base import RequestModel, ResponseModel


class Slice(ResponseModel):
    """Right answers to one domain of the questions in one language."""

    domain: str = Field(description="api.field_domain")
    language: str = Field(description="api.field_question_language")
    before: float | None = Field(description="api.field_before")
    after: float | None = Field(description="api.field_after")


class Night(ResponseModel):
    """One night."""

    night: str = Field(description="api.field_night")
    status: Literal["running", "nothing_to_do", "done", "failed", "cancelled"] = Field(
        description="api.field_night_status"
    )
    verdict: str = Field(description="api.field_verdict")
    reasons: list[str] = Field(description="api.field_reasons")
    challenger: str = Field(description="api.field_challenger")
    champion: str = Field(description="api.field_champion_then")
    start: Literal["cold", "warm", ""] = Field(description="api.field_start")
    started_at: datetime = Field(description="api.field_started_at")
    finished_at: datetime | None = Field(description="api.field_finished_at")


class NightDetail(Night):
    """One night with its figures."""

    slices: list[Slice] = Field(description="api.field_slices")
    suite: list[Slice] = Field(description="api.field_suite")


class Nights(ResponseModel):
    """A page of nights, the newest first."""

    items: list[Night] = Field(description="api.field_items")
    next_cursor: str | None = Field(description="api.field_next_cursor")


class Progress(ResponseModel):
    """How far the night is that goes on now."""

    state: str = Field(description="api.field_progress_state")
    night: str = Field(default="", description="api.field_night")
    step: str = Field(default="", description="api.field_step")
    done: int | None = Field(default=None, description="api.field_done")
    total: int | None = Field(default=None, description="api.field_total")
    loss: float | None = Field(default=None, description="api.field_loss")
    tokens: int | None = Field(default=None, description="api.field_tokens")
    seconds_left: float | None = Field(default=None, description="api.field_seconds_left")
    updated_at: datetime | None = Field(default=None, description="api.field_progress_at")


class NewNight(RequestModel):
    """A night to be started."""

    cold: bool = Field(default=False, strict=True, description="api.field_cold")
