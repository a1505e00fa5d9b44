"""Stored results: one line of JSON an owner, a file a base. Pure but for reading and writing them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bonsai.system.files import write_atomic
from bonsai.system.json_values import from_values, to_values

ARMS = ("base", "base+records", "adapter", "adapter+records")
OWNERS_FILE, TEMPLATES_FILE = "owners.jsonl", "templates.jsonl"
Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Measured:
    """Cost of a command."""

    seconds: float
    peak_bytes: int
    "Largest sum of the resident memory of the command and its descendants, looked at twice a second."


@dataclass(frozen=True, slots=True)
class Counts:
    """Questions of one domain in one language."""

    asked: int
    before: int
    "Right answers of the bare base."
    after: int
    "Right answers of the night's adapter."
    kept: int
    "Right before and after."


@dataclass(frozen=True, slots=True)
class Night:
    """One night, and what it made."""

    cost: Measured
    "Of the attempt that ended; `steps_seconds` are over all attempts."
    steps_seconds: Mapping[str, float]
    "By step of the night; `replay` is missing where an earlier owner's night had it made."
    verdict: str
    reasons: tuple[str, ...]
    challenger: str
    steps: int
    "Updates of the training."
    own: int
    "Records in the snapshot."
    replayed: int
    "Replay samples in the snapshot."
    tokens: int
    measured: Mapping[str, int | float]
    "Of the adapter's manifest: last loss, tokens a second ..."
    general: Mapping[str, Counts]
    "`domain/language` -> right answers on the selection pool."


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, judged."""

    response: str
    right: bool
    "For an unanswerable question: it declines."
    language_ok: bool
    "In the right language; an answer without a word is in none."
    looping: bool
    ended: bool
    bits: float | None
    "Bits per byte of the reference; None for an unanswerable question."


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the answers of each arm."""

    question: str
    reference: str
    language: str
    fact: int | None
    "Number of the record that answers it; None if none does."
    found: tuple[int, ...]
    replies: Mapping[str, Reply]
    "By arm."


@dataclass(frozen=True, slots=True)
class SeedAnswer:
    """A seed question, with both answers."""

    question: str
    base: str
    adapter: str


@dataclass(frozen=True, slots=True)
class Line:
    """One owner on one base."""

    base: str
    source: str
    parameters: int
    "0 where unknown."
    owner: str
    records: int
    prepared: Mapping[str, Measured]
    "By command: init, add, use; once for all owners of the base."
    night: Night
    asking_seconds: float
    asked: tuple[Asked, ...]
    seed: tuple[SeedAnswer, ...]
    created_at: str
    "ISO 8601, UTC."
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TemplateLine:
    """One training of one owner's records under one template."""

    base: str
    owner: str
    records: int
    template: str
    seed: int
    steps: int
    seconds: float
    first_loss: float
    "Mean over the first tenth of the steps."
    last_loss: float
    "Mean over the last tenth; templates learn different tokens, so only `bits` compares them."
    bits: float
    "Mean bits per byte of the records' answers to paraphrases, after the tags."
    right: int
    language_ok: int
    asked: int
    responses: tuple[str, ...]


def read(path: Path, kind: type[Kind]) -> list[Kind]:
    """The lines of a file; none without it."""
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    return [from_values(kind, json.loads(line)) for line in lines]


def write(path: Path, lines: Iterable[object]) -> None:
    """Replace the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = "".join(json.dumps(to_values(line), ensure_ascii=False) + "\n" for line in lines)
    write_atomic(path, made.encode())


def store(path: Path, line: Line) -> None:
    """Add an owner's line, in place of an earlier one of the same owner and number of records."""
    key = (line.owner, line.records)
    write(path, [*(one for one in read(path, Line) if (one.owner, one.records) != key), line])
