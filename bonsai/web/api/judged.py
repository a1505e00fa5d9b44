"""What programs are answered about nights, promotions and how everything stands."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from bonsai.domain.promotion import Action, State
from bonsai.web.api.models import Answered


class Rule(Answered):
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


class Promotion(Answered):
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


class Decision(Answered):
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


class Promotions(Answered):
    """A page of promotions, the newest first."""

    items: list[Promotion] = Field(description="api.field_items")
    next_cursor: str | None = Field(description="api.field_next_cursor")


class Decisions(Answered):
    """A page of the history, the newest first, and whether nobody altered it."""

    items: list[Decision] = Field(description="api.field_items")
    next_cursor: str | None = Field(description="api.field_next_cursor")
    whole: bool = Field(description="api.field_whole")
    broken: str = Field(description="api.field_broken")


class Tally(Answered):
    """What one person preferred."""

    challenger: int = Field(description="api.field_preferred_challenger")
    champion: int = Field(description="api.field_preferred_champion")
    same: int = Field(description="api.field_preferred_same")
    share: float | None = Field(description="api.field_share")
    low: float = Field(description="api.field_share_low")
    high: float = Field(description="api.field_share_high")
    finding: Literal["challenger", "champion", "unclear"] = Field(description="api.field_review_finding")


class Review(Answered):
    """One person's blind review."""

    person: str = Field(description="api.field_who")
    done: int = Field(description="api.field_review_done")
    asked: int = Field(description="api.field_review_asked")
    last_at: datetime = Field(description="api.field_review_at")
    tally: Tally | None = Field(description="api.field_tally")


class Reviews(Answered):
    """Every person's blind review of one promotion."""

    items: list[Review] = Field(description="api.field_items")


class Slice(Answered):
    """Right answers to one domain of the questions in one language."""

    domain: str = Field(description="api.field_domain")
    language: str = Field(description="api.field_question_language")
    before: float | None = Field(description="api.field_before")
    after: float | None = Field(description="api.field_after")


class Night(Answered):
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


class Nights(Answered):
    """A page of nights, the newest first."""

    items: list[Night] = Field(description="api.field_items")
    next_cursor: str | None = Field(description="api.field_next_cursor")


class Progress(Answered):
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


class Champion(Answered):
    """Who answers, and since when."""

    adapter: str = Field(description="api.field_champion")
    since: datetime | None = Field(description="api.field_since")
    who: str = Field(description="api.field_promoted_by")


class Waiting(Answered):
    """How much waits for a person, or for the next intake."""

    promotions: int = Field(description="api.field_waiting_promotions")
    held_back: int = Field(description="api.field_waiting_held_back")
    contradictions: int = Field(description="api.field_waiting_contradictions")
    suspects: int = Field(description="api.field_waiting_suspects")
    uncertain: int = Field(description="api.field_waiting_uncertain")
    rejects: int = Field(description="api.field_waiting_rejects")
    inbox: int = Field(description="api.field_waiting_inbox")


class Coverage(Answered):
    """How many records there are of one kind."""

    language: str = Field(description="api.field_language")
    category: str = Field(description="api.field_category")
    records: int = Field(description="api.field_records_count")


class Overview(Answered):
    """Where everything stands."""

    champion: Champion = Field(description="api.field_champion_now")
    waiting: Waiting = Field(description="api.field_waiting")
    coverage: list[Coverage] = Field(description="api.field_coverage")
