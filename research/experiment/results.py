"""The results of an experiment: one line of JSON a run, appended when it is finished.

A line holds what the claims are judged by, item by item, so that tables, intervals and plots are drawn again without
a model. Lines carry no texts and no paths. Seconds stand in them; nothing is judged by them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bonsai.errors import InputError
from bonsai.evaluate.report import Scores

RUNS = "runs.jsonl"
FLAGS = ("correct", "language_ok", "looping", "ended", "empty", "leaked", "tags_ok")
"In the order of their bits."
SPOKEN = {"ja": "j", "en": "e", "zh": "z", "other": "o"}
"One letter for the language that an answer is in; `-` for none."


@dataclass(frozen=True, slots=True)
class Answers:
    """All answers of one run under one way of generating, in the order of the items."""

    flags: str
    "Two hexadecimal digits an item."
    lengths: tuple[int, ...]
    "UTF-8 bytes of each answer."
    spoken: str
    "One letter of SPOKEN an item."

    def flag(self, item: int, name: str) -> bool:
        """One flag of one item."""
        return bool(int(self.flags[2 * item : 2 * item + 2], 16) >> FLAGS.index(name) & 1)


@dataclass(frozen=True, slots=True)
class Costs:
    """What the reference completions cost, in thousandths of a bit (of a nat for `loss`), item by item."""

    response: tuple[int, ...]
    "Bits a byte of the reference answer, expected tags given."
    with_tags: tuple[int, ...]
    "The same with the bits of saying the tags added: an upper bound of what the answer costs without being given any."
    loss: tuple[int, ...]
    "Nats a token of the whole completion."


@dataclass(frozen=True, slots=True)
class Point:
    """A training looked at on its way, over the selection pool."""

    step: int
    response: float
    with_tags: float
    loss: float


@dataclass(frozen=True, slots=True)
class Run:
    """One adapter, or the bare base under a template."""

    key: str
    arm: str
    seed: int
    template: str
    items_hash: str
    "Of everything that was asked: lines of other questions are not compared."
    training: Mapping[str, float]
    "`own`, `anchors`, `steps`, `response_bytes`, `tokens`, `seconds`; empty for the base."
    seconds: float
    "Of asking."
    losses: tuple[float, ...]
    "Nats a token that the training logged at each step."
    curve: tuple[Point, ...]
    costs: Costs
    answers: Mapping[str, Answers]
    "By the way of generating: `pipeline`, `16`, `unstopped` ..."


def packed(scores: Scores) -> str:
    """The flags of one answer."""
    return f"{sum(bool(getattr(scores, name)) << place for place, name in enumerate(FLAGS)):02x}"


def to_line(run: Run) -> str:
    """One line of the file."""
    return json.dumps(asdict(run), separators=(",", ":"), ensure_ascii=False)


def run_from(values: Mapping[str, Any]) -> Run:
    """The run of a line's values, or of a worker's result."""
    answers = {
        name: Answers(one["flags"], tuple(one["lengths"]), one["spoken"]) for name, one in values["answers"].items()
    }
    parts = {
        "losses": tuple(values["losses"]),
        "curve": tuple(Point(**one) for one in values["curve"]),
        "costs": Costs(**{name: tuple(column) for name, column in values["costs"].items()}),
        "answers": answers,
    }
    return Run(**{**values, **parts})


def read(path: Path) -> dict[str, Run]:
    """Every finished run by its key. A last line without its end is a killed run's: it counts as not there.

    Raises InputError for a whole line that is no run.
    """
    if not path.is_file():
        return {}
    found: dict[str, Run] = {}
    lines = path.read_text("utf-8").split("\n")
    for number, line in enumerate(lines[:-1], 1):
        try:
            run = run_from(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InputError("experiment.no_run", path=path, line=number) from None
        found[run.key] = run
    return found


def append(path: Path, run: Run) -> None:
    """Add a line, flushed to the disk; what a killed run left without its end is cut off first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_bytes() if path.is_file() else b""
    with path.open("r+b" if before else "wb") as file:
        file.truncate(before.rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)
        file.write(to_line(run).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
