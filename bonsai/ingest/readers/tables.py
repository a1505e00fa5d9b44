"""Tables: CSV and TSV with a header row, and Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from bonsai.domain.records import TableForm
from bonsai.errors import InputError
from bonsai.ingest.readers.elements import Broken, Element, Elements
from bonsai.ingest.readers.lines import lines
from bonsai.ingest.readers.shapes import CHATS, FIELD_OF_NAME

PARQUET_ROWS = 512
"Rows in memory at once."


@dataclass(slots=True)
class _Feed:
    """The lines of a table on their way into `csv.reader`: kept until their row is complete."""

    source: Iterator[Element | Broken]
    taken: list[str] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    number: int = 0
    "Number of the last line read."

    def __iter__(self) -> Iterator[str]:
        for line in self.source:
            self.number = line.line
            if isinstance(line, Broken):
                self.broken.append(line)
            else:
                self.taken.append(line.raw)
                yield line.raw + "\n"


def read_table(path: Path, encoding: str, delimiter: str, max_bytes: int) -> Elements:
    """One record per row, cells by the header's names. A row of another length than the header is broken."""
    return table_rows(lines(path, encoding, max_bytes), delimiter)


def table_rows(source: Elements, delimiter: str, form: TableForm | None = None) -> Elements:
    """The rows of the lines; the first one is the header, unless `form` gives it."""
    feed = _Feed(source)
    rows = csv.reader(iter(feed), delimiter=delimiter, strict=True)
    while True:
        feed.taken.clear()
        first = feed.number + 1
        try:
            row: list[str] | None = next(rows, None)
        except csv.Error as error:
            yield Broken(first, "\n".join(feed.taken), "readers.broken_row", (("why", str(error)),), form)
            continue
        yield from (replace(one, table=form) for one in feed.broken)
        feed.broken.clear()
        if row is None:
            return
        if form is None:
            form = TableForm(tuple(cell.strip() for cell in row), delimiter)
        elif any(cell.strip() for cell in row):
            yield _row(form, row, first, "\n".join(feed.taken))


def _row(form: TableForm, row: list[str], line: int, raw: str) -> Element | Broken:
    if len(row) != len(form.columns):
        return Broken(line, raw, "readers.wrong_cells", (("cells", len(row)), ("columns", len(form.columns))), form)
    return Element(line, dict(zip(form.columns, row, strict=True)), raw, form)


def read_parquet(path: Path) -> Elements:
    """One record per row, a few hundred rows at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            names = [name for name in file.schema_arrow.names if name.lower() in (*FIELD_OF_NAME, *CHATS)]
            if not names:
                columns = ", ".join(file.schema_arrow.names)[:120]
                raise InputError("readers.unknown_columns", path=path, columns=columns)
            number = 0
            for batch in file.iter_batches(PARQUET_ROWS, columns=names):
                for value in batch.to_pylist():
                    number += 1
                    yield Element(number, value, "")
    except (pa.ArrowException, OSError):
        raise InputError("readers.not_parquet", path=path) from None


def raw_of(element: Element) -> str:
    """The element as text, for a reject."""
    return element.raw or json.dumps(element.value, ensure_ascii=False, default=str)
