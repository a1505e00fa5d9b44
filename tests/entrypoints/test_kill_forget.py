"""`bonsai records forget`, killed with SIGKILL: whatever it had done by then, the next command finishes it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from dying_terminal import Terminal

from bonsai.actions.inbox import drain_inbox, submit
from bonsai.context import Bonsai
from storage.forgetting import NOTE

pytestmark = pytest.mark.long

NOW = datetime(2026, 11, 21, tzinfo=UTC)

QUESTION, SECRET = "Why is Mike under the bed?", "Mike hides from the neighbour Tanaka."


@pytest.fixture
def terminal(home: Path) -> Terminal:
    """A home that told the secret."""
    made = Terminal(home)
    bonsai = made.opened()
    submit(bonsai, {"instruction": QUESTION, "output": SECRET}, NOW)
    drain_inbox(bonsai, NOW)
    return made


def holding(home: Path) -> list[str]:
    files = (path for path in home.rglob("*") if path.is_file())
    return sorted(path.name for path in files if SECRET.encode() in path.read_bytes())


def with_snapshot(bonsai: Bonsai, record: str) -> Path:
    """A snapshot that holds the record, as far as forgetting looks at it."""
    folder = bonsai.places.snapshots / "snapshot"
    folder.mkdir()
    for name in ("records.parquet", "manifest.json"):
        (folder / name).write_text(SECRET)
    with bonsai.database.writing() as con:
        con.execute("INSERT INTO snapshots VALUES ('snapshot', 's', '', 7, 1, 0, TIMESTAMP '2026-11-21')")
        con.execute(
            "INSERT INTO snapshot_records SELECT 'snapshot', id, 'train', sequence FROM records WHERE id = ?", [record]
        )
    return folder


@pytest.mark.parametrize(
    "dying",
    [
        "after storage.tables.rejects_table.forget 1",  # in the transaction
        "before bonsai.actions.forget.erase_files 1",  # forgotten, nothing erased
        "after storage.inbox.erase 1",
        "before storage.forgetting.erase_reports 1",
        "before storage.connect.move_durably 1",  # the database is written anew, and not in its place yet
        "before storage.forgetting.clear_due 1",
    ],
)
def test_killed_at_any_step_a_forgetting_is_finished_by_the_next_command(terminal: Terminal, dying: str) -> None:
    (told,) = terminal.records()
    folder = with_snapshot(terminal.opened(), told.record.id)
    terminal.dies(dying, "records", "forget", told.record.id)
    (left,) = terminal.records()
    if "rejects" in dying:  # nothing was committed: it is still to be said again
        assert left == told
        terminal.said("records", "forget", told.record.id)
    terminal.said("inbox", "drain")
    assert [one.status for one in terminal.records()] == ["forgotten"]
    assert holding(terminal.home) == []
    assert [path.name for path in folder.iterdir()] == [NOTE]
    assert terminal.is_sound()
    submit(terminal.opened(), {"instruction": QUESTION, "output": SECRET}, NOW)
    assert drain_inbox(terminal.opened(), NOW).counts.new == 0
