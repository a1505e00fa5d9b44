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


class StepTime(ResponseModel):
    """One step of one attempt, in `status.json` too."""

    name: str = Field(description="api.field_step_name")
    started_at: datetime = Field(description="api.field_started_at")
    ended_at: datetime | None = Field(default=None, description="api.field_step_ended_at")

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else None


class Cost(ResponseModel):
    """Resources of a night so far, all its attempts together; in `status.json` too."""

    tokens: int = Field(default=0, description="api.field_tokens")
    memory_bytes: int = Field(default=0, description="api.field_memory_bytes")
    gpu_memory_bytes: int = Field(default=0, description="api.field_gpu_memory_bytes")
    gpus: int = Field(default=0, description="api.field_gpus")


class NightCost(Cost):
    """Resources of a night, and its time by step."""

    gpu_seconds: float = Field(description="api.field_gpu_seconds")
    seconds: dict[str, float] = Field(description="api.field_step_seconds")


class TrainingData(ResponseModel):
    """The snapshot of a night."""

    snapshot: str = Field(description="api.field_snapshot")
    own: int = Field(description="api.field_own_records")
    anchors: int = Field(description="api.field_replay_samples")


class GateState(ResponseModel):
    """How used up the confirmation pool is, and how far the personal evaluation set is from deciding."""

    openings: int = Field(description="api.field_gate_openings")
    openings_before_rotation: int = Field(description="api.field_gate_openings_limit")
    dealt_anew: bool = Field(description="api.field_gate_dealt_anew")
    suite_version: str = Field(description="api.field_gate_suite_version")
    suite_items: int = Field(description="api.field_gate_suite_items")
    suite_clusters: int = Field(description="api.field_gate_suite_clusters")
    min_clusters: int = Field(description="api.field_gate_min_clusters")


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
    parent: str = Field(description="api.field_adapter_parent")
    why: str = Field(description="api.field_start_why")
    started_at: datetime = Field(description="api.field_started_at")
    finished_at: datetime | None = Field(description="api.field_finished_at")


class NightDetail(Night):
    """One night with its figures."""

    state: str = Field(description="api.field_night_state")
    slices: list[Slice] = Field(description="api.field_slices")
    suite: list[Slice] = Field(description="api.field_suite")
    gate: GateState | None = Field(description="api.field_gate_state")
    steps: list[StepTime] = Field(description="api.field_steps")
    cost: NightCost = Field(description="api.field_cost")
    learned: TrainingData | None = Field(description="api.field_training_data")


class Nights(ResponseModel):
    """A page of nights, the newest first."""

    items: list[Night] = Field(description="api.field_items")
    next_cursor: str | None = Field(description="api.field_next_cursor")


class Progress(ResponseModel):
    """Progress of the running night."""

    state: str = Field(description="api.field_progress_state")
    night: str = Field(default="", description="api.field_night")
    step: str = Field(default="", description="api.field_step")
    done: int | None = Field(default=None, description="api.field_done")
    total: int | None = Field(default=None, description="api.field_total")
    loss: float | None = Field(default=None, description="api.field_loss")
    tokens: int | None = Field(default=None, description="api.field_tokens")
    seconds_left: float | None = Field(default=None, description="api.field_seconds_left")
    updated_at: datetime | None = Field(default=None, description="api.field_progress_at")
    steps: list[StepTime] = Field(default_factory=list, description="api.field_steps")
    cost: Cost = Field(default=Cost(), description="api.field_cost")


class NewNight(RequestModel):
    """A night to be started."""

    cold: bool = Field(default=False, strict=True, description="api.field_cold")


class Champion(ResponseModel):
    """The champion, and since when."""

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
