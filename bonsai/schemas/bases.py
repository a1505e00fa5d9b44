"""Bases: one in a list, one in full, and the result of a check."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from bonsai.schemas.base import ResponseModel


class CheckPoint(ResponseModel):
    """One point of a base's check."""

    name: str = Field(description="api.field_point_name")
    ok: bool | None = Field(description="api.field_point_ok")
    detail: str = Field(description="api.field_point_detail")


class BaseCheck(ResponseModel):
    """The check of a base."""

    passed: bool = Field(description="api.field_check_passed")
    checked_at: datetime = Field(description="api.field_checked_at")
    device: str = Field(description="api.field_check_device")
    weights_hash: str = Field(description="api.field_weights_hash")
    findings: list[CheckPoint] = Field(description="api.field_findings")


class BaseRow(ResponseModel):
    """One base in a list."""

    name: str = Field(description="api.field_base_name")
    origin: str = Field(description="api.field_base_origin")
    in_use: bool = Field(description="api.field_base_in_use")
    model: str = Field(description="api.field_base_model")
    revision: str = Field(description="api.field_base_revision")
    licence: str = Field(description="api.field_base_licence")
    languages: list[str] = Field(description="api.field_base_languages")
    parameters: int = Field(description="api.field_base_parameters")
    on_disk: bool = Field(description="api.field_base_on_disk")
    tried: bool | None = Field(description="api.field_base_tried")
    note: str = Field(description="api.field_base_note")


class Bases(ResponseModel):
    """All bases: those of the home, then those of the table."""

    items: list[BaseRow] = Field(description="api.field_items")


class BaseDetail(BaseRow):
    """Everything known of one base."""

    kind: str = Field(description="api.field_base_kind")
    quantisation: str = Field(description="api.field_base_quantisation")
    compute_dtype: str = Field(description="api.field_base_compute_dtype")
    max_tokens: int = Field(description="api.field_base_max_tokens")
    template: str = Field(description="api.field_base_template")
    source: str = Field(description="api.field_base_source")
    added_at: datetime | None = Field(description="api.field_base_added_at")
    check: BaseCheck | None = Field(description="api.field_base_check")


class MachinePlan(ResponseModel):
    """How a base would be trained on one machine, estimated."""

    machine: Literal["card", "here"]
    device: Literal["cpu", "cuda"]
    memory_gib: float
    kind: str
    "The best that fits; the smallest if none does."
    fits: bool
    in_halves: bool
    "It fits only with each batch in halves."
    needed_gib: float
    "All of it, the program included; in halves where it fits only so."
    weights_gib: float
    adapter_gib: float
    activations_gib: float


class NightPlan(ResponseModel):
    """The training of a night on this machine."""

    tokens: int
    most: bool
    "It is the night's whole budget."
    tokens_per_second: float
    seconds: float


class BasePlan(ResponseModel):
    """What training on a base would take."""

    name: str
    licence: str
    "Empty if unknown."
    languages: list[str]
    parameters: int
    "0 if unknown."
    machines: list[MachinePlan]
    "Graphics cards, then this machine; empty while the base's layers are unknown."
    night: NightPlan | None
    "None while no speed was measured here."


class BaseInUse(ResponseModel):
    """What `bonsai base use` did."""

    profile: str
    "Value of training.profile."
    base: str
    "Profile that this is on this machine."
    rolled_back: str
    "Champion of another base, which does not answer any more; empty if there was none."


class BaseRemoved(ResponseModel):
    """What `bonsai base remove` did."""

    name: str
    kept: str
    "Folder or hub id that the base was added from, which stays; empty for a half-made base."
