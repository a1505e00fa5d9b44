"""Maintenance of a home: export, check, rebuild, back up."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from bonsai.context import Bonsai
from bonsai.domain.record_fields import NOTES, TAGS, TEXTS
from bonsai.domain.snapshots import MANIFEST
from bonsai.domain.snapshots import read as read_snapshot
from bonsai.errors import IntegrityError, UsageError
from bonsai.i18n import TextLanguage
from bonsai.system.files import write_atomic
from bonsai.train.manifest import MANIFEST_FILE, read_manifest
from storage.check import check as check_database
from storage.home import finished_folders
from storage.scale import counters, text_index
from storage.tables import records_table
from storage.tables.record_rows import StoredRecord
from storage.tables.records_table import RecordFilter, sorted_page

COLUMNS = (*TEXTS, *TAGS, *NOTES)
STREAMED = 500
"Records per read of a stream."


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """Result of one check."""

    name: str
    ok: bool
    detail: str


def export_records(b: Bonsai, path: Path, kind: Literal["jsonl", "csv", "parquet"], record_filter: RecordFilter) -> int:
    """Write records to a file that `import` can read; returns their number.

    Raises UsageError if the folder is missing.
    """
    if not path.parent.is_dir():
        raise UsageError("pipeline.no_folder", folder=path.parent)
    with b.database.reading() as con:
        exported = [_row(one) for one in records_table.list_records(con, record_filter)]
    write_atomic(path, _written(exported, kind))
    return len(exported)


def stream_records(b: Bonsai, record_filter: RecordFilter) -> Iterator[str]:
    """Stream records as JSON Lines in small reads: the database is closed while a slow client reads."""
    after = ""
    while True:
        with b.database.reading() as con:
            records = sorted_page(con, record_filter, STREAMED, "oldest", after)
        yield "".join(json.dumps(_row(one), ensure_ascii=False) + "\n" for one in records)
        if len(records) < STREAMED:
            return
        after = records[-1].record.id


def _row(stored: StoredRecord) -> dict[str, str]:
    record, tags = stored.record, stored.tags
    row = {name: str(getattr(record, name) or "") for name in COLUMNS}
    return row | {name: getattr(tags, name).value for name in TAGS}


def _written(rows: list[dict[str, str]], kind: Literal["jsonl", "csv", "parquet"]) -> bytes:
    if kind == "jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    if kind == "csv":
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode("utf-8-sig")  # with BOM, so that spreadsheets read UTF-8
    import pandas as pd

    return bytes(pd.DataFrame(rows, columns=COLUMNS).to_parquet(index=False))


def check(b: Bonsai, language: TextLanguage = "en") -> tuple[CheckFinding, ...]:
    """Check the database's integrity, the log's hash chain, and every adapter and snapshot against its hashes."""
    with b.database.reading() as con:
        problems = check_database(con)
    found = [CheckFinding("database", not problems, "; ".join(one.render(language) for one in problems))]
    for name, parent, manifest, reader in (
        ("adapters", b.places.adapters, MANIFEST_FILE, read_manifest),
        ("snapshots", b.places.snapshots, MANIFEST, read_snapshot),
    ):
        broken = []
        folders = finished_folders(parent, manifest)
        for folder in folders:
            try:
                reader(folder)
            except IntegrityError as error:
                broken.append(error.render(language))
        found.append(CheckFinding(name, not broken, "; ".join(broken) or str(len(folders))))
    return tuple(found)


def rebuild(b: Bonsai, now: datetime) -> tuple[str, ...]:
    """Rebuild derived tables; returns what was wrong. Safe to interrupt and repeat."""
    with b.database.writing() as con:
        wrong = counters.recount(con)
        altered = text_index.is_wrong(con)
        if altered:
            text_index.clear(con, now)
    text_index.complete(b.database, now)
    return (*wrong, *(("text_blocks",) if altered else ()))


def backup(b: Bonsai, path: Path) -> Path:
    """Copy the database to `path` online. Raises HomeError if the file exists."""
    b.database.backup(path)
    return path
