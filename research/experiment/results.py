"""Results of an experiment: one JSON line per run, appended when it is finished.

A line has everything that claims are judged by, item by item, so that tables, intervals and plots need no model. Lines
have no texts and no paths. Durations are recorded but judge nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bonsai.errors import InputError
from bonsai.evaluate.report import Scores
from bonsai.system.json_values import from_values, to_values

RUNS = "runs.jsonl"
FLAGS = ("correct", "language_ok", "looping", "ended", "empty", "leaked", "tags_ok")
"In the order of their bits."
SPOKEN = {"ja": "j", "en": "e", "zh": "z", "other": "o"}
"One letter per answer language; `-` for none."


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers of one run under one way of generating, in item order."""

    flags: str
    "Two hexadecimal digits per item."
    lengths: tuple[int, ...]
    "UTF-8 bytes of each answer."
    spoken: str
    "One letter of SPOKEN per item."

    def flag(self, item: int, name: str) -> bool:
        """One flag of one item."""
        return bool(int(self.flags[2 * item : 2 * item + 2], 16) >> FLAGS.index(name) & 1)


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of the reference completions in thousandths of a bit (of a nat for `loss`), by item."""

    response: tuple[int, ...]
    "Bits per byte of the reference answer, expected tags given."
    with_tags: tuple[int, ...]
    "The same plus the bits of the tags: an upper bound of the answer's cost without given tags."
    loss: tuple[int, ...]
    "Nats per token of the whole completion."


@dataclass(frozen=True, slots=True)
class Point:
    """A measurement during training, over the selection pool."""

    step: int
    response: float
    with_tags: float
    loss: float


@dataclass(frozen=True, slots=True)
class Run:
    """One adapter, or the bare base with a template."""

    key: str
    arm: str
    seed: int
    template: str
    items_hash: str
    "Of all questions; runs with different questions are not compared."
    training: Mapping[str, int | float]
    "`own`, `anchors`, `steps`, `response_bytes`, `tokens`, `seconds`; empty for the base."
    seconds: float
    "Duration of the questions."
    losses: tuple[float, ...]
    "Training loss per step, in nats per token."
    curve: tuple[Point, ...]
    costs: Costs
    answers: Mapping[str, Answers]
    "By way of generating: `pipeline`, `16`, `unstopped` ..."


def packed(scores: Scores) -> str:
    """The flags of one answer, packed."""
    return f"{sum(bool(getattr(scores, name)) << place for place, name in enumerate(FLAGS)):02x}"


def to_line(run: Run) -> str:
    """One line of the file."""
    return json.dumps(to_values(run), separators=(",", ":"), ensure_ascii=False)


def read(path: Path) -> dict[str, Run]:
    """Finished runs by key. An incomplete last line stems from a killed run and is ignored.

    Raises InputError for a complete line that is no run.
    """
    if not path.is_file():
        return {}
    found: dict[str, Run] = {}
    lines = path.read_text("utf-8").split("\n")
    for number, line in enumerate(lines[:-1], 1):
        try:
            run = from_values(Run, json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InputError("experiment.no_run", path=path, line=number) from None
        found[run.key] = run
    return found


def append(path: Path, run: Run) -> None:
    """Append a line and fsync; an incomplete last line is cut off first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_bytes() if path.is_file() else b""
    with path.open("r+b" if before else "wb") as file:
        file.truncate(before.rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)
        file.write(to_line(run).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
