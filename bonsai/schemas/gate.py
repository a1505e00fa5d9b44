"""The gate: its minimum gains, its level, and what they were measured on."""

from __future__ import annotations

from datetime import datetime

from bonsai.schemas.base import ResponseModel


class MinimumGains(ResponseModel):
    """Smallest gains beyond control that count."""

    bits_fixed: float
    "Bits/byte, fixed questions."
    right_fixed: float
    "Share of right answers, fixed questions."
    bits_personal: float
    "The same on the personal evaluation set."
    right_personal: float


class Calibration(ResponseModel):
    """Minimum gains that were measured on seeds of one base and recipe."""

    base: str
    recipe: str
    "SHA-256 of all settings of base and recipe."
    seeds: int
    made_at: datetime
    minima: MinimumGains
    measured: list[str]
    "Claims whose minimum was measured; the others have that of the settings."
    form: str
    "Folder of the form adapter, relative to the home; empty without one."


class GateTonight(ResponseModel):
    """By what the next night is judged."""

    base: str
    recipe: str
    minima: MinimumGains
    calibration: Calibration | None
    "Where the minima were measured; None: they are the settings'."
    level: float
    "One-sided error level of all claims of progress together."
    false_promotions: float
    looks: int
    "Nights that were judged for progress."
    promoted: int
    "How many of them were promoted."
    form_adapter: str
    "Id; empty if none is known."
    measured_from_form: bool
    min_clusters: int
    "Facts that a claim needs."
    min_control_clusters: int
    floors: dict[str, float]
    "Shares of the answers that must keep each guard, and of the base's right answers (`retention`)."
