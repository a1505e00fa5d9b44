"""Benchmark report: every answer, score and version of one model on one question set.

A report is a value. It is written once as JSON (`write`) and read back whole (`read`); gate, pages and tables work on
it alone. An item that could not be scored is listed under `errors` and makes the report unusable; it is never a score
of 0.

The idea that a result carries all its versions: https://github.com/UKGovernmentBEIS/inspect_ai (`log/_log.py`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from bonsai.errors import BenchmarkError
from bonsai.i18n import TextLanguage, text
from bonsai.system.files import write_json_atomic
from bonsai.system.json_values import from_values, to_values

if TYPE_CHECKING:
    from rich.table import Table


REPORT_FORMAT = 1
Number = Annotated[
    float,
    BeforeValidator(lambda value: math.nan if value is None else value),
    PlainSerializer(lambda value: value if math.isfinite(value) else None, return_type=float | None, when_used="json"),
]
"In JSON, null stands for a number that is not finite."


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of one answer. Booleans are True if all is well, unless the name says otherwise."""

    correct: bool | None
    "Exact or accepted match; None for creative categories, which have no single right answer."
    exact: bool
    accepted: bool
    character_f1: float
    "0 to 1, on normalised characters."
    chrf: float
    "0 to 100, word order 0."
    language_ok: bool
    looping: bool
    ended: bool
    empty: bool
    leaked: bool
    tags_ok: bool | None
    "Declared language and category match the expected ones."


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's answer to one item."""

    response: str
    declared: tuple[str, str, str]
    "Reasoning, category and language as declared."
    tokens: int
    scores: Scores


@dataclass(frozen=True, slots=True)
class ItemResult:
    """One item of a report."""

    id: str
    cluster: str
    domain: str
    category: str
    language: str
    "Language of the reference answer."
    bits_per_byte: Number
    "Of the reference answer with the expected tags; NaN stays NaN and makes the report invalid."
    free: Answer
    "With tags declared by the model, as a user would get it."
    distractor_bits: float | None = None
    "Bits per byte of another fact's reference answer to this question; None without one, and in reports of 0.1.0."


@dataclass(frozen=True, slots=True)
class ConsistencyCheck:
    """Result of one consistency item, to check whether a stored report still reproduces."""

    id: str
    answer_hash: str
    bits_per_byte: Number


@dataclass(frozen=True, slots=True)
class Report:
    """One model's results on one question set."""

    benchmark: str
    "Question set, e.g. `v2/selection`, `suite`."
    items_hash: str
    subject: str
    "Adapter id, or `base`."
    adapter_hash: str
    "Hash of the adapter's weights; empty for the bare base."
    base: str
    settings_hash: str
    "Of generation settings, prompt template and scoring version."
    library_fingerprint: str
    logits: tuple[Number, ...]
    "First-token logits of fixed questions; equal to the base's if an adapter was not applied."
    created_at: str
    "ISO 8601, UTC."
    seconds: float
    items: tuple[ItemResult, ...]
    canaries: tuple[ConsistencyCheck, ...] = ()
    errors: tuple[tuple[str, str], ...] = ()
    "(item id, error); any entry invalidates the report."
    format: int = REPORT_FORMAT


Metric = Callable[[ItemResult], float | None]


def accuracy(item: ItemResult) -> float | None:
    """1 for a right answer, 0 for a wrong one, None if there is no single right one."""
    return None if item.free.scores.correct is None else float(item.free.scores.correct)


def bits_per_byte(item: ItemResult) -> float | None:
    """Bits per byte of the reference answer; lower is better."""
    return item.bits_per_byte


GUARDS: dict[str, Metric] = {
    "ended": lambda item: float(item.free.scores.ended),
    "language": lambda item: float(item.free.scores.language_ok),
    "no_loop": lambda item: float(not item.free.scores.looping),
    "not_empty": lambda item: float(not item.free.scores.empty),
    "no_leak": lambda item: float(not item.free.scores.leaked),
}
"Requirements on every answer, whatever its content; 1 is good."


def mean(items: Iterable[ItemResult], metric: Metric) -> float | None:
    """Mean over the items that have the metric; None if none has."""
    values = [value for item in items if (value := metric(item)) is not None]
    return math.fsum(values) / len(values) if values else None


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One row of a report's table."""

    domain: str
    "A domain, or `all`."
    language: str
    items: int
    accuracy: float | None
    bits_per_byte: float | None
    chrf: float
    tags_ok: float | None
    guards: tuple[tuple[str, float], ...]
    "Share of answers that pass each guard."


def summary(report: Report) -> tuple[SummaryRow, ...]:
    """Rows by language, then by domain and language; combinations without items are left out."""
    languages = sorted({item.language for item in report.items})
    domains = ["all", *sorted({item.domain for item in report.items})]
    groups = (
        (domain, language, [i for i in report.items if i.language == language and domain in ("all", i.domain)])
        for domain in domains
        for language in languages
    )
    return tuple(_row(domain, language, items) for domain, language, items in groups if items)


def _row(domain: str, language: str, items: Sequence[ItemResult]) -> SummaryRow:
    chrf = mean(items, lambda item: item.free.scores.chrf) or 0.0
    tags = mean(items, lambda item: None if item.free.scores.tags_ok is None else float(item.free.scores.tags_ok))
    guards = tuple((name, mean(items, metric) or 0.0) for name, metric in GUARDS.items())
    return SummaryRow(
        domain, language, len(items), mean(items, accuracy), mean(items, bits_per_byte), chrf, tags, guards
    )


def without_answers(report: Report) -> Report:
    """The report of a closed pool: scores without any text."""

    def silent(answer: Answer) -> Answer:
        return replace(answer, response="", declared=("", "", ""))

    return replace(report, items=tuple(replace(item, free=silent(item.free)) for item in report.items))


def render_table(report: Report, language: TextLanguage) -> Table:
    """The summary as a terminal table of at most 80 columns."""
    from rich.table import Table

    table = Table(title=text("benchmark.title", language, benchmark=report.benchmark, subject=report.subject))
    for name in ("domain", "language", "items", "accuracy", "bits", "chrf", "tags", "guards"):
        table.add_column(text(f"benchmark.column_{name}", language), justify="left" if name == "domain" else "right")
    for row in summary(report):
        table.add_row(
            domain_name(row.domain, language), row.language, str(row.items), percent(row.accuracy),
            "-" if row.bits_per_byte is None else f"{row.bits_per_byte:.3f}", f"{row.chrf:.0f}", percent(row.tags_ok),
            percent(min(share for _, share in row.guards)),
        )  # fmt: skip
    return table


def domain_name(domain: str, language: TextLanguage) -> str:
    """Localised name of a domain; unknown ones as they are."""
    try:
        return text(f"benchmark.domain_{domain}", language)
    except KeyError:
        return domain


def percent(share: float | None) -> str:
    """`63 %`; a dash for None."""
    return "-" if share is None else f"{100 * share:.0f} %"


def to_json(report: Report) -> dict[str, Any]:
    """JSON-able form; a non-finite number becomes null."""
    made: dict[str, Any] = to_values(report)
    return made


def from_json(value: dict[str, Any]) -> Report:
    """The report of `to_json`. Raises BenchmarkError for another format."""
    if value.get("format") != REPORT_FORMAT:
        raise BenchmarkError("benchmark.report_format", found=value.get("format"), known=REPORT_FORMAT)
    return from_values(Report, value)


def write(report: Report, path: Path) -> None:
    """Write the report atomically."""
    write_json_atomic(path, to_json(report))


def read(path: Path) -> Report:
    """Read a report. Raises BenchmarkError if the file is damaged or of another format."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise BenchmarkError("benchmark.report_torn", path=path, error=error) from error
    return from_json(value)
