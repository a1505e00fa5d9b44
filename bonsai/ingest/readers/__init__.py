"""File readers: records from JSON, JSONL, CSV, TSV and Parquet in four shapes.

    for made in read(Path("cats.csv")):     # Record | Reject, in the file's order
        ...

Memory stays bounded; what cannot become a record comes out as a `Reject` with its line, its raw text and the reason,
and reading continues. A file that cannot be read at all raises InputError, before the first record where the
format allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bonsai.domain.characters import has_surrogates
from bonsai.domain.records import DEFAULTS, LIMITS, Defaults, Limits, Origin, Record, Reject, parse, reject
from bonsai.ingest.readers.elements import Broken, Element, Elements
from bonsai.ingest.readers.json_files import loaded, read_json_array, read_json_lines, read_json_object
from bonsai.ingest.readers.recognise import Recognised, recognise
from bonsai.ingest.readers.shapes import ShapeError, fields_of
from bonsai.ingest.readers.tables import raw_of, read_parquet, read_table, table_rows


def read(
    path: Path,
    *,
    defaults: Defaults = DEFAULTS,
    limits: Limits = LIMITS,
    recognised: Recognised | None = None,
    name: str = "",
) -> Iterator[Record | Reject]:
    """Every record and reject of a file. `recognised`: the result of `recognise(path)`, if known.

    `name` is the file's original name; empty: its present one.
    """
    found = recognised or recognise(path)
    for element in elements(path, found, limits):
        yield from records_of(element, name or path.name, found.encoding, defaults, limits)


def elements(path: Path, found: Recognised, limits: Limits) -> Elements:
    """The file's elements, not yet parsed as records."""
    match found.format:
        case "jsonl":
            return read_json_lines(path, found.encoding, limits.line_bytes)
        case "json":
            return read_json_array(path, found.encoding, limits.line_bytes)
        case "json-object":
            return read_json_object(path, found.encoding, limits.line_bytes)
        case "table":
            return read_table(path, found.encoding, found.delimiter, limits.line_bytes)
        case "parquet":
            return read_parquet(path)


def read_again(
    raw: str, rejected: Reject, defaults: Defaults = DEFAULTS, limits: Limits = LIMITS
) -> list[Record | Reject]:
    """Parse a repaired text with the reader that rejected it; never empty.

    A row may have become several rows; all keep the line of the reject.
    """
    place = Element(rejected.line, raw, raw)
    if not raw.strip():
        elements_read: list[Element | Broken] = [Broken(rejected.line, raw, "readers.nothing_there")]
    elif len(raw.encode("utf-8", "surrogatepass")) > limits.line_bytes:
        elements_read = [
            Broken(rejected.line, raw, "readers.line_too_long", (("size", len(raw)), ("limit", limits.line_bytes)))
        ]
    elif rejected.table is None:
        elements_read = [loaded(place)]
    else:
        rows = (replace(place, value=line, raw=line) for line in raw.split("\n"))
        elements_read = list(table_rows(rows, rejected.table.delimiter, rejected.table))
    there = (replace(one, line=rejected.line) for one in elements_read)
    return [parsed for one in there for parsed in records_of(one, rejected.file, "utf-8", defaults, limits)]


def records_of(
    element: Element | Broken, file: str, encoding: str, defaults: Defaults, limits: Limits
) -> Iterator[Record | Reject]:
    """The records of one element: one, several for a chat, or a reject."""
    for made in _made_of(element, Origin(file, element.line), encoding, defaults, limits):
        yield replace(made, table=element.table) if isinstance(made, Reject) and element.table else made


def _made_of(
    element: Element | Broken, origin: Origin, encoding: str, defaults: Defaults, limits: Limits
) -> Iterator[Record | Reject]:
    if isinstance(element, Broken):
        yield reject(origin, element.raw, element.reason_key, **dict(element.values))
        return
    if has_surrogates(element.raw):
        yield reject(origin, element.raw, "readers.undecodable_line", encoding=encoding, byte="?")
        return
    try:
        found = fields_of(element.value)
    except ShapeError as error:
        yield reject(origin, raw_of(element), error.reason_key, **error.values)
        return
    for fields in found:
        yield parse(fields, origin, defaults, limits, element.raw or None)
