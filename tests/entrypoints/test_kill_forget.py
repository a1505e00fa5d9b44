"""`bonsai records forget`, killed with SIGKILL: whatever it had done by then, the next command finishes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from dying_terminal import Terminal

from storage.erasing import NOTE

QUESTION, SECRET = "Why is Mike under the bed?", "Mike hides from the neighbour Tanaka."


@pytest.fixture
def terminal(home: Path) -> Terminal:
    """A home that told the secret; a folder stands for the snapshot that learned it."""
    made = Terminal(home)
    made.said("records", "add", QUESTION, SECRET)
    return made


def holding(home: Path) -> list[str]:
    files = (path for path in home.rglob("*") if path.is_file())
    return sorted(path.name for path in files if SECRET.encode() in path.read_bytes())


def with_snapshot(terminal: Terminal, record: str) -> Path:
    """A snapshot that holds the record, as far as forgetting looks at it."""
    from bonsai import wiring

    bonsai = wiring.open(terminal.home, {})
    folder = bonsai.places.snapshots / "snapshot"
    folder.mkdir()
    for name in ("records.parquet", "manifest.json"):
        (folder / name).write_text(SECRET)
    with bonsai.database.writing() as con:
        con.execute("INSERT INTO snapshots VALUES ('snapshot', 's', '', 7, 1, 0, TIMESTAMP '2026-11-21')")
        con.execute("INSERT INTO snapshot_records VALUES ('snapshot', ?, 'train')", [record])
    return folder


@pytest.mark.parametrize(
    "dying",
    [
        "after storage.rejects_table.forget 1",  # in the transaction
        "before bonsai.pipeline.forgetting.finish 1",  # forgotten, nothing erased
        "after storage.inbox.erase 1",
        "before storage.erasing.erase_reports 1",
        "before storage.connect.move_durably 1",  # the database is written anew, and not in its place yet
        "before storage.forgetting.erased 1",
    ],
)
def test_killed_at_any_step_a_forgetting_is_finished_by_the_next_command(terminal: Terminal, dying: str) -> None:
    record = terminal.said("records", "list")["id"]
    folder = with_snapshot(terminal, record)
    terminal.dies(dying, "records", "forget", record)
    assert terminal.said("records", "list")["id"] == record
    if "rejects" in dying:  # nothing was committed: it is still to be said again
        assert terminal.said("records", "list")["status"] == "active"
        terminal.said("records", "forget", record)
    terminal.said("inbox", "drain")
    assert terminal.said("records", "list")["status"] == "forgotten"
    assert holding(terminal.home) == []
    assert [path.name for path in folder.iterdir()] == [NOTE]
    assert terminal.is_sound()
    assert terminal.said("records", "add", QUESTION, SECRET)["counts"]["new"] == 0
