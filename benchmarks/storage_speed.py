"""Speed of inserting and reading records: `python -m benchmarks.storage_speed [records]`."""

from __future__ import annotations

import hashlib
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bonsai.config.settings import DatabaseSettings
from bonsai.domain.records import Category, Origin, Record, Tag, Tags
from storage import inbox
from storage.home import create_home
from storage.tables import record_versions_table, records_table
from storage.tables import records_table as table_records_table
from storage.tables.record_rows import NewRecord

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def record(number: int) -> NewRecord:
    """About 300 characters, as in Dolly."""
    instruction, output = f"How often does cat {number} need to be brushed? " * 2, f"Cat {number} likes it daily. " * 7
    identity = hashlib.sha256(instruction.encode()).hexdigest()
    tag = Tag("en", "rule", 0.9, "1")
    tags = Tags(tag, Tag(Category.OPEN_QA, "learned", 0.8, "1"), Tag("The question is in English.", "rule", 1.0, "1"))
    return NewRecord(
        Record(identity, instruction, "", output, Origin("bench", number)), tags, "en", instruction.lower()
    )


def main() -> None:
    """Print one line per measurement."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    new = [record(number) for number in range(size)]
    with tempfile.TemporaryDirectory() as folder:
        home = create_home(Path(folder) / "home", AT, DatabaseSettings(20, "1GB", 2))
        database = home.database

        def read(function: Callable[..., object]) -> None:
            with database.reading() as con:
                function(con)

        def retag() -> None:
            with database.writing() as con:
                record_versions_table.retag(con, {one.record.id: one.tags for one in new[:10_000]}, AT)

        measure("insert", size, lambda: records_table.insert_paced(database, new, "b", AT))
        measure("insert again (all duplicates)", size, lambda: records_table.insert_paced(database, new, "b", AT))
        measure("one record more", 1, lambda: records_table.insert_paced(database, [record(-1)], "b", AT))
        measure("rows for the duplicates index", size, lambda: read(table_records_table.index_rows))
        measure("eligible", size, lambda: read(records_table.eligible))
        measure("data hash", size, lambda: read(records_table.data_hash))
        measure("retag", 10_000, retag)
        measure("inbox submissions", 500, lambda: [inbox.submit(home.inbox, {"n": n}, AT) for n in range(500)])
    print(f"{'peak memory':34} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:10,.0f} MB")


def measure(name: str, size: int, work: Callable[[], object]) -> None:
    """Run once and print."""
    start, start_cpu = time.perf_counter(), time.process_time()
    work()
    seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    print(f"{name:34} {size:>10,} {seconds:8.2f} s {size / seconds:>12,.0f} /s   {cpu:8.2f} s of processor")


if __name__ == "__main__":
    main()
