"""What every reader yields: an element of a file, or a broken part of it.

An element is a line of a JSONL file, a member of a JSON array, or a row of a table; `shapes` maps it to
fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bonsai.domain.records import TableForm


@dataclass(frozen=True, slots=True)
class Element:
    """One value of a file."""

    line: int
    "1-based: the line of a JSONL or CSV file where it begins, the number of an array's member or a table's row."
    value: object
    "As JSON gives it: usually an object, as a dict."
    raw: str
    "The text it was read from; empty when the format has none (Parquet)."
    table: TableForm | None = None
    "For a row of a CSV or TSV file."


@dataclass(frozen=True, slots=True)
class Broken:
    """A part of a file that is not a valid element."""

    line: int
    raw: str
    reason_key: str
    values: tuple[tuple[str, object], ...] = ()
    table: TableForm | None = None


Elements = Iterator[Element | Broken]
