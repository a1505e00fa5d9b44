"""Preview of a file before import: detected format, first records with tags, and what is wrong.

Reads the whole file as an import would, in bounded memory, and stores nothing. Duplicates and contradictions are left
to the import, which compares with every stored record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bonsai.context import Bonsai
from bonsai.domain.records import Defaults, Limits, Record, Reject, Tags
from bonsai.errors import InputError
from bonsai.ingest import tags
from bonsai.ingest.readers import elements, records_of
from bonsai.ingest.readers.elements import Element
from bonsai.ingest.readers.recognise import recognise
from bonsai.ingest.readers.shapes import CHATS, FIELD_OF_NAME
from bonsai.ingest.tags.category import CategoryTagger
from bonsai.queries.suggestions import existing_tagger

SHOWN_ROWS = 10
SHOWN_LINES = 5
SHOWN_CHARACTERS = 300
"Characters of a text that are shown."
MAX_COLUMNS = 40
MAX_PROBLEMS = 30
CALLBACK_INTERVAL = 20_000
"Records between two calls of `meanwhile`; some tenths of a second."
OTHER = "entering.other_reasons"


@dataclass(frozen=True, slots=True)
class PreviewColumn:
    """One column or key of the file's first element."""

    name: str
    field: str
    "Record field it maps to; `messages` for a chat; empty if unused."


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One of the first records, as it would be stored."""

    line: int
    question: str
    answer: str
    subject: str
    happened_on: str
    language: str
    category: str


@dataclass(frozen=True, slots=True)
class PreviewProblem:
    """One kind of problem, with the elements that have it."""

    count: int
    lines: tuple[int, ...]
    "The first few."
    reason_key: str
    values: tuple[tuple[str, str], ...]
    "Of the first one."
    raw: str
    "The beginning of the first one."


@dataclass(frozen=True, slots=True)
class FilePreview:
    """Result of a preview."""

    format: str
    encoding: str
    delimiter: str
    columns: tuple[PreviewColumn, ...]
    read: int
    "Records and rejects; a chat may hold several."
    rejected: int
    rows: tuple[PreviewRow, ...]
    wrong: tuple[PreviewProblem, ...]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> FilePreview:
        """From the dict that `dataclasses.asdict` produced."""
        parts = {
            "columns": tuple(PreviewColumn(**one) for one in values["columns"]),
            "rows": tuple(PreviewRow(**one) for one in values["rows"]),
            "wrong": tuple(
                PreviewProblem(**{**one, "lines": tuple(one["lines"]), "values": tuple(map(tuple, one["values"]))})
                for one in values["wrong"]
            ),
        }
        return cls(**{**values, **parts})


def preview_file(b: Bonsai, path: Path) -> FilePreview:
    """Preview a file with the home's tagger, if it has one. Raises InputError."""
    return check_file(b, path, existing_tagger(b))


def check_file(
    b: Bonsai,
    path: Path,
    tagger: CategoryTagger | None,
    name: str = "",
    meanwhile: Callable[[], object] = lambda: None,
) -> FilePreview:
    """Preview a file; `meanwhile` is called from time to time.

    Raises InputError, with the name that the owner gave the file, if it cannot be read as records.
    """
    name = name or path.name
    limits = b.config.records
    try:
        return _check(path, name, tagger, limits, b.config.tags.category_threshold, meanwhile)
    except InputError as error:
        raise InputError(error.key, **{**error.values, "path": name}) from None


def _check(
    path: Path,
    name: str,
    tagger: CategoryTagger | None,
    limits: Limits,
    threshold: float,
    meanwhile: Callable[[], object],
) -> FilePreview:
    found = recognise(path)
    columns: tuple[PreviewColumn, ...] = ()
    first: list[Record] = []
    wrong: dict[str, PreviewProblem] = {}
    read = rejected = 0
    for element in elements(path, found, limits):
        if not columns and isinstance(element, Element):
            columns = _columns(element.value)
        for made in records_of(element, name, found.encoding, Defaults(), limits):
            read += 1
            if read % CALLBACK_INTERVAL == 0:
                meanwhile()
            if isinstance(made, Reject):
                rejected += 1
                _count(wrong, made)
            elif len(first) < SHOWN_ROWS:
                first.append(made)
    tagged = tags.tag_batch(first, tagger, threshold=threshold) if first else []
    rows = tuple(map(_row, first, tagged))
    most_first = tuple(sorted(wrong.values(), key=lambda one: -one.count))
    return FilePreview(found.format, found.encoding, found.delimiter, columns, read, rejected, rows, most_first)


def _columns(value: object) -> tuple[PreviewColumn, ...]:
    names = [str(name) for name in value][:MAX_COLUMNS] if isinstance(value, Mapping) else []
    return tuple(PreviewColumn(_cut(name), _field(name.strip().lower())) for name in names)


def _field(name: str) -> str:
    return "messages" if name in CHATS else FIELD_OF_NAME.get(name, "")


def _count(wrong: dict[str, PreviewProblem], made: Reject) -> None:
    """Count a problem; kinds beyond the first few share one entry."""
    key = made.reason_key if made.reason_key in wrong or len(wrong) < MAX_PROBLEMS else OTHER
    before = wrong.get(key) or PreviewProblem(0, (), key, made.values if key != OTHER else (), _cut(made.raw))
    lines = before.lines if len(before.lines) >= SHOWN_LINES else (*before.lines, made.line)
    wrong[key] = replace(before, count=before.count + 1, lines=lines)


def _row(record: Record, tagged: Tags) -> PreviewRow:
    return PreviewRow(
        line=record.origin.line,
        question=_cut(record.instruction),
        answer=_cut(record.output),
        subject=_cut(record.subject),
        happened_on=record.happened_on.isoformat() if record.happened_on else "",
        language=tagged.language.value,
        category=str(tagged.category.value),
    )


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
