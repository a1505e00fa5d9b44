"""Bases: one in a list, one in full, and the result of a check."""

from __future__ import annotations

from datetime import datetime

from bonsai.schemas.base import ResponseModel


class CheckPoint(ResponseModel):
    """One point of a base's check."""

    name: str
    ok: bool | None
    "None: told, no fault."
    detail: str


class BaseCheck(ResponseModel):
    """The check of a base."""

    passed: bool
    checked_at: datetime
    device: str
    weights_hash: str
    findings: list[CheckPoint]


class BaseRow(ResponseModel):
    """One base in a list."""

    name: str
    origin: str
    "shipped, added, settings (of bonsai.toml) or table (not added yet)."
    in_use: bool
    model: str
    revision: str
    licence: str
    "Empty if unknown."
    languages: list[str]
    parameters: int
    "0 if unknown."
    on_disk: bool
    tried: bool | None
    "Of the table's bases: whether this project trained it."
    note: str


class BaseDetail(BaseRow):
    """Everything known of one base."""

    kind: str
    quantisation: str
    compute_dtype: str
    max_tokens: int
    template: str
    source: str
    "What it was added from; empty for others."
    added_at: datetime | None
    check: BaseCheck | None


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
