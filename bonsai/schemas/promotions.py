"""Promotions, decisions and blind reviews."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from bonsai.domain.promotion import Action, State
from bonsai.schemas.base import RequestModel, ResponseModel
from bonsai.schemas.records import Record


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


class ComparedAnswer(ResponseModel):
    """One question, and what champion and challenger said."""

    question_set: str
    item: str
    cluster: str
    "The fact that is asked."
    domain: str
    language: str
    "Of the answers."
    question_language: str
    question: str
    reference: str
    before: str
    "What the champion said."
    after: str
    "What the challenger said."
    was_right: bool | None
    "None where no single answer is right."
    is_right: bool | None
    turn: Literal["gained", "lost", "changed", "same"]


class NearRecord(ResponseModel):
    """A record that was new in a night and is like a question."""

    id: str
    instruction: str
    output: str
    likeness: float
    "0 to 1."


class Flip(ComparedAnswer):
    """An answer that was wrong and is right, or the reverse."""

    records: list[NearRecord]


class SliceChange(ResponseModel):
    """One slice of a question set, before and after."""

    question_set: str
    slice: str
    items: int
    before: float | None
    "Share of right answers; None where no answer is right or wrong."
    after: float | None
    gain: float
    "Bits/byte of the reference answers; plus is better."
    low: float | None
    "One-sided bounds of the gain; None with too few facts."
    high: float | None


class Evidence(ResponseModel):
    """On what a decision rests, by hash."""

    dealing: int
    selection: str
    suite: str
    suite_version: str
    suite_items: int
    suite_clusters: int


class LossPoint(ResponseModel):
    """The loss at one step of a training, or the mean of several."""

    step: int
    loss: float


class LossCurve(ResponseModel):
    """How an adapter learned."""

    adapter: str
    steps: int
    validation_loss: float | None
    points: list[LossPoint]


class Explanation(PromotionDetail):
    """A candidate with everything that its verdict rests on."""

    sentence: str
    harm: bool
    confirmation_opened: bool
    evidence: Evidence
    slices: list[SliceChange]
    flips: list[Flip]
    missing: list[str]
    "Question sets whose reports are no longer there."
    new_records: int
    "Learned by the challenger and not by the champion."
    data_changes: dict[str, int]
    "Kind of change since the champion, and how many records."
    losses: list[LossCurve]
    reviews: list[Review]


class ChangedRecord(ResponseModel):
    """A record that a candidate learned and its champion had not, or the reverse."""

    kind: Literal["new", "edited", "retagged", "removed"]
    earlier: str
    "Id of the version that the champion learned; empty for none."
    record: Record


class BlindQuestion(ResponseModel):
    """A question of a blind review: nothing here says whose answer is whose."""

    number: int
    asked: int
    item: str
    question: str
    left: str
    right: str


class ReviewState(ResponseModel):
    """Progress of a person's blind review."""

    adapter: str
    done: int
    asked: int
    finished: bool
    tally: Tally | None


LONGEST_REASON = 2_000


class NewDecision(RequestModel):
    """A person's decision on a promotion."""

    action: Literal["approve", "reject", "rollback"] = Field(description="api.field_new_action")
    reason: str = Field("", max_length=LONGEST_REASON, description="api.field_new_reason")
