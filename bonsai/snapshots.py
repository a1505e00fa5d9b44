"""A snapshot: exactly what a night trains on, immutable, with the hashes that prove it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["own", "anchor"]


@dataclass(frozen=True, slots=True)
class Example:
    """One row of a snapshot: what trains."""

    record_id: str
    "The record's id; an anchor's content id for `anchor` rows."
    role: Role
    instruction: str
    context: str
    "The record's `input`."
    reasoning: str
    category: str
    language: str
    "The answer's language."
    output: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A finished snapshot folder (`records.parquet` + `manifest.json`, written last)."""

    id: str
    "First 16 hex digits of `content_hash`."
    content_hash: str
    folder: str
    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    seed: int
