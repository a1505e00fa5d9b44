"""Snapshots: what a night would train on."""

from __future__ import annotations

from typing import Literal

from bonsai.schemas.base import ResponseModel


class Piece(ResponseModel):
    """The smallest run of tokens that is whole text."""

    text: str
    tokens: int
    part: Literal["given", "declared", "answer", "end"]


class RecordPreview(ResponseModel):
    """One record as a training sees it."""

    id: str
    language: str
    category: str
    tokens: int
    learned: int
    "Tokens that the loss counts."
    too_long: bool
    pieces: list[Piece]


class TokenCost(ResponseModel):
    """What a language costs with this tokenizer."""

    language: str
    texts: int
    characters: int
    tokens: int
    tokens_a_character: float


class LongRecord(ResponseModel):
    """A record that will not train until it is shortened or split."""

    record_id: str
    tokens: int
    instruction: str


class SnapshotPreview(ResponseModel):
    """What the next night would meet."""

    profile: str
    template: str
    limit: int
    "Longest example in tokens, question and answer together."
    records: int
    longest: int
    previews: list[RecordPreview]
    costs: list[TokenCost]
    too_long: list[LongRecord]
