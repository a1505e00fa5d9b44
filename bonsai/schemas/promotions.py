"""Promotions, decisions and blind reviews."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from bonsai.domain.promotion import Action, State
from bonsai.schemas.base import RequestModel, ResponseModel


class Rule(ResponseModel):
    """What one rule of the gate found."""

    rule: str = Field(description="api.field_rule")
    name: str = Field(description="api.field_rule_name")
    outcome: str = Field(description="api.field_outcome")
    words: str = Field(description="api.field_words")
    unit: Literal["bits", "points", "shares", "none"] = Field(description="api.field_unit")
    figure: float | None = Field(description="api.field_figure")
    low: float | None = Field(description="api.field_low")
    high: float | None = Field(description="api.field_high")
    threshold: float | None = Field(description="api.field_threshold")


class Promotion(ResponseModel):
    """A candidate and how it stands."""

    adapter: str = Field(description="api.field_adapter")
    night: str = Field(description="api.field_night")
    state: State = Field(description="api.field_state")
    verdict: str = Field(description="api.field_verdict")
    finding: Literal["better", "worse", "same", "unclear", "invalid"] = Field(description="api.field_finding")
    reasons: list[str] = Field(description="api.field_reasons")
    judged_against: str = Field(description="api.field_judged_against")
    created_at: datetime = Field(description="api.field_judged_at")
    updated_at: datetime = Field(description="api.field_updated_at")


class Decision(ResponseModel):
    """A line of the history, which is chained by hashes."""

    number: int = Field(description="api.field_log_number")
    at: datetime = Field(description="api.field_log_at")
    who: str = Field(description="api.field_who")
    action: Action = Field(description="api.field_action")
    adapter: str = Field(description="api.field_adapter")
    champion_before: str = Field(description="api.field_champion_before")
    champion_after: str = Field(description="api.field_champion_after")
    version: int = Field(description="api.field_champion_version")
    reason: str = Field(description="api.field_new_reason")
    hash: str = Field(description="api.field_hash")


class PromotionDetail(Promotion):
    """A candidate with every rule, what may be done with it, and what was."""

    rules: list[Rule] = Field(description="api.field_rules")
    actions: list[Literal["approve", "reject", "rollback"]] = Field(description="api.field_actions")
    decisions: list[Decision] = Field(description="api.field_decisions")


class Promotions(ResponseModel):
    """A page of promotions, the newest first."""

    items: list[Promotion] = Field(description="api.field_items")
    next_cursor: str | None = Field(description="api.field_next_cursor")


class Decisions(ResponseModel):
    """A page of the history, the newest first, and whether nobody altered it."""

    items: list[Decision] = Field(description="api.field_items")
    next_cursor: str | None = Field(description="api.field_next_cursor")
    whole: bool = Field(description="api.field_whole")
    broken: str = Field(description="api.field_broken")


class Tally(ResponseModel):
    """What one person preferred."""

    challenger: int = Field(description="api.field_preferred_challenger")
    champion: int = Field(description="api.field_preferred_champion")
    same: int = Field(description="api.field_preferred_same")
    share: float | None = Field(description="api.field_share")
    low: float = Field(description="api.field_share_low")
    high: float = Field(description="api.field_share_high")
    finding: Literal["challenger", "champion", "unclear"] = Field(description="api.field_review_finding")


class Review(ResponseModel):
    """One person's blind review."""

    person: str = Field(description="api.field_who")
    done: int = Field(description="api.field_review_done")
    asked: int = Field(description="api.field_review_asked")
    last_at: datetime = Field(description="api.field_review_at")
    tally: Tally | None = Field(description="api.field_tally")


class Reviews(ResponseModel):
    """Every person's blind review of one promotion."""

    items: list[Review] = Field(description="api.field_items")


LONGEST_REASON = 2_000


class NewDecision(RequestModel):
    """A person's word on a promotion."""

    action: Literal["approve", "reject", "rollback"] = Field(description="api.field_new_action")
    reason: str = Field("", max_length=LONGEST_REASON, description="api.field_new_reason")
