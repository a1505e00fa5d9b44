"""A confirmed upload, its drain killed with SIGKILL between any two steps: taken in once, and its sum is the file's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from dying_terminal import Terminal

from bonsai import bootstrap
from bonsai.actions.uploads import COUNTS, confirm_upload, receive_upload
from bonsai.queries.records import count_records
from storage import uploads
from storage.tables.records_table import RecordFilter

pytestmark = pytest.mark.long
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "dying",
    [
        "after storage.tables.records_table.insert_records 2",  # inside the second chunk's transaction
        "after storage.tables.imports_table.record_import 1",  # all is stored, the sum is not written down
        "before storage.uploads.drop_texts 1",  # the sum is written down, the bytes are still there
    ],
)
def test_a_killed_drain_goes_on(home: Path, dying: str) -> None:
    b = bootstrap.open(home, {})
    rows = [f"What is number {n}?,It is {n} times the first.\n" for n in range(150)]
    place = uploads.start(b.places.uploads)
    (place / "arrived").write_text(f"question,answer\n{''.join(rows)}{rows[0]}broken\n", "utf-8")
    told = receive_upload(b, place, place / "arrived", "cats.csv", "mika", NOW)
    confirm_upload(b, told.id, source="import", source_name="", who="mika", now=NOW)
    terminal = Terminal(home)
    terminal.dies(dying, "inbox", "drain")
    terminal.said("inbox", "drain")
    done = uploads.get(b.places.uploads, told.id)
    result = {name: done.parts["result"][name] for name in COUNTS}
    assert result == {"read": 152, "new": 150, "duplicate": 1, "held_back": 0, "rejected": 1}
    assert count_records(b, RecordFilter()) == 150
    assert sorted(path.name for path in done.folder.iterdir() if path.suffix == ".csv") == []
