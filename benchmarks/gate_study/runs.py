"""Runs of the study: one model evaluated on one or more pools, one line of JSON each.

A line holds only what the gate reads from a report: per item the bits per byte (in thousandths) and, where the model
answered, six yes-or-no scores packed into one character. `report_of` restores a `Report`, so that every verdict can be
reproduced from the committed file without torch. Lines contain no times and no paths.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

from benchmarks.gate_study.question_sets import items_of
from bonsai.evaluate.questions import Item
from bonsai.evaluate.report import Answer, ItemResult, Report, Scores
from bonsai.evaluate.scoring import has_right_answer
from bonsai.system.locks import file_lock

BASE = "base"
OTHER = "other/"
"Prefix of the runs on the second base."
WAIT_SECONDS = 60.0
"Wait for another process that appends a line."
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
FLAGS = ("correct", "language_ok", "looping", "ended", "empty", "leaked")
"Scores that the gate reads, in the order of their bits."
FINE = DIGITS[0b001011]
"Right, in the right language, ended."
UNASKED = "."
"Only the likelihood was computed: neither right nor wrong, and no fault."


@dataclass(frozen=True, slots=True)
class PoolResult:
    """One model's answers to one pool."""

    bits: tuple[int | None, ...]
    "Bits per byte of the reference answers, in thousandths; None: not a number."
    flags: str = ""
    "One character per item, in item order; empty if only likelihoods were computed."
    distractors: tuple[int | None, ...] = ()
    "Bits per byte of the distractors, in thousandths; empty where no claim is made."


@dataclass(frozen=True, slots=True)
class Run:
    """One model of the study."""

    key: str
    "Kind and seed, e.g. `seed/101`, `harm/looping/103`; unique in a file."
    logits: tuple[float | None, ...]
    "First-token logits of the probe questions."
    sheets: Mapping[str, PoolResult]
    "By question set."
    note: Mapping[str, float] = field(default_factory=dict)
    "Further figures: training loss, share of items that the contamination check holds back ..."

    @property
    def seed(self) -> int:
        """The seed of the adapter or of its origin; 0 for the base."""
        last = self.key.rpartition("/")[2]
        return int(last) if last.isdigit() else 0


def pool_result(report: Report) -> PoolResult:
    """The part of a report that the gate reads."""
    bits = thousandths(item.bits_per_byte for item in report.items)
    flags = "".join(_packed(item.free.scores) for item in report.items)
    return PoolResult(bits, flags, thousandths(item.distractor_bits for item in report.items))


def thousandths(values: Iterable[float | None]) -> tuple[int | None, ...]:
    """Rounded; None for what is no number."""
    return tuple(round(1000 * one) if one is not None and math.isfinite(one) else None for one in values)


def some_logits(logits: Sequence[float]) -> tuple[float | None, ...]:
    """The first logit of each probe question, enough to distinguish an adapter from the base."""
    step = max(1, len(logits) // 4)
    return tuple(round(logit, 4) if math.isfinite(logit) else None for logit in logits[::step])


def _packed(scores: Scores) -> str:
    return DIGITS[sum(bool(getattr(scores, name)) << place for place, name in enumerate(FLAGS))]


@cache
def _scores(flag: str, graded: bool) -> Scores:
    """The scores packed in one character; scores that the gate does not read are empty."""
    packed = DIGITS.index(FINE if flag == UNASKED else flag)
    flags = {name: bool(packed >> place & 1) for place, name in enumerate(FLAGS)}
    return Scores(
        correct=flags["correct"] if graded and flag != UNASKED else None, exact=False, accepted=False,
        character_f1=0.0, chrf=0.0, language_ok=flags["language_ok"], looping=flags["looping"], ended=flags["ended"],
        empty=flags["empty"], leaked=flags["leaked"], tags_ok=None,
    )  # fmt: skip


def base_of(key: str) -> str:
    """Key of the bare base that this run was made from."""
    return f"{OTHER}{BASE}" if key.startswith(OTHER) else BASE


def report_of(run: Run, name: str) -> Report:
    """The report that the gate judges. Raises KeyError if the run was not asked this question set."""
    sheet = run.sheets[name]
    flags = sheet.flags or UNASKED * len(sheet.bits)
    distractors = sheet.distractors or (None,) * len(sheet.bits)
    results = tuple(_result(*one) for one in zip(items_of(name), sheet.bits, flags, distractors, strict=True))
    logits = tuple(math.nan if logit is None else logit for logit in run.logits)
    base = base_of(run.key)
    adapter = "" if run.key == base else run.key
    return Report(name, "study", run.key, adapter, base, "study", "study", logits, "", 0.0, results)


def _result(item: Item, bits: int | None, flag: str, distractor: int | None) -> ItemResult:
    answer = Answer("", ("", "", ""), 0, _scores(flag, has_right_answer(item)))
    value = math.nan if bits is None else bits / 1000
    other = None if distractor is None else distractor / 1000
    return ItemResult(item.id, item.cluster, item.domain, item.category, item.language, value, answer, other)


def to_line(run: Run) -> str:
    """One line of the file."""
    return json.dumps(asdict(run), separators=(",", ":"), ensure_ascii=False)


def from_line(line: str) -> Run:
    """The run of `to_line`."""
    values = json.loads(line)
    sheets = {
        pool: PoolResult(tuple(sheet["bits"]), sheet["flags"], tuple(sheet["distractors"]))
        for pool, sheet in values["sheets"].items()
    }
    return Run(values["key"], tuple(values["logits"]), sheets, values["note"])


def read(path: Path) -> dict[str, Run]:
    """Runs by key; a later line of the same key adds pools to the earlier one."""
    found: dict[str, Run] = {}
    if not path.is_file():
        return found
    for line in path.read_text("utf-8").splitlines():
        run = from_line(line)
        before = found.get(run.key)
        found[run.key] = merged(before, run) if before else run
    return found


def merged(before: Run, more: Run) -> Run:
    """Merge two lines of one run."""
    return Run(before.key, before.logits, {**before.sheets, **more.sheets}, {**before.note, **more.note})


def append(path: Path, run: Run) -> None:
    """Append a line under a lock; an incomplete last line of a killed process is cut off first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f"{path.name}.lock")
    with file_lock(lock, exclusive=True, wait_seconds=WAIT_SECONDS), path.open("a+b") as file:
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.write(to_line(run).encode() + b"\n")


def differences(one: Run, other: Run) -> float:
    """Largest difference of an item's bits per byte, over the question sets of both."""
    pools = one.sheets.keys() & other.sheets.keys()
    pairs = (pair for pool in pools for pair in zip(one.sheets[pool].bits, other.sheets[pool].bits, strict=True))
    return max(
        (abs(a - b) / 1000 if a is not None and b is not None else float(a is not b) for a, b in pairs), default=0.0
    )
