"""`bonsai records import` and `inbox drain`, killed with SIGKILL and typed again: as if nothing had happened."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from dying_terminal import CHUNK, Terminal

from bonsai import bootstrap
from bonsai.evaluate import questions
from bonsai.samples import sample_path
from storage import inbox
from storage.sql import rows

pytestmark = pytest.mark.long

DIFFERS = "batch, created_at, updated_at"
"Columns that are not the same in two imports of one file."
SUM = ("new", "duplicate", "held_back", "rejected")


@dataclass(frozen=True)
class Importing(Terminal):
    """A terminal whose home can be looked into."""

    def content(self) -> dict[str, list[dict[str, Any]]]:
        """Everything that an import decides, in the order of arrival."""
        with bootstrap.open(self.home, {}).database.reading() as con:
            told = rows(con, f"SELECT * EXCLUDE (sequence, {DIFFERS}) FROM records ORDER BY sequence")
            refused = rows(con, f"SELECT * EXCLUDE ({DIFFERS}) FROM rejects ORDER BY id")
        return {"records": told, "rejects": refused}


@pytest.fixture
def terminal(home: Path) -> Importing:
    return Importing(home)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The samples with the messy lines between them: new ones, duplicates, a leak, contradictions, broken lines.

    The first line leaks too, and the last one nearly repeats it, chunks later.
    """
    lines = sample_path("experience.jsonl").read_bytes().splitlines()[:360]
    messy = sample_path("messy.jsonl").read_bytes().splitlines()
    for number, line in enumerate(messy):
        lines.insert(15 * (number + 1), line)
    item = next(one for one in questions.load("selection") if one.domain == "cat_care" and not one.input)
    leak, own = (
        {"instruction": f"{please}{item.instruction}", "output": item.reference, "source": source}
        for please, source in (("", "import"), ("Please: ", "self"))
    )
    path = tmp_path_factory.mktemp("told") / "told.jsonl"
    path.write_bytes(b"\n".join([json.dumps(leak).encode(), *lines, json.dumps(own).encode()]) + b"\n")
    return path


@pytest.fixture(scope="module")
def undisturbed(new_home: Path, told: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one import that nobody kills leaves behind."""
    home = Path(shutil.copytree(new_home, tmp_path_factory.mktemp("undisturbed") / "home"))
    terminal = Importing(home)
    started = time.monotonic()
    counts = terminal.said("records", "import", told)
    seconds = time.monotonic() - started
    assert min(counts[name] for name in SUM) > 0
    return {"counts": counts, "content": terminal.content(), "seconds": seconds}


@pytest.mark.parametrize(
    "dying",
    [
        "before bonsai.actions.import_file._store 1",  # nothing stored yet
        "after storage.tables.rejects_table.insert_rejects 2",  # the chunk's records are committed, its rejects not
        "after storage.tables.records_table.insert_records 3",  # all of it written, not committed
        "after bonsai.actions.import_file._store 4",  # committed; the next chunk not begun
        "before storage.tables.imports_table.record_import 1",  # all records stored, the import itself not noted
    ],
)
def test_killed_at_any_step_and_started_again_an_import_is_whole(
    terminal: Importing, told: Path, undisturbed: dict[str, Any], dying: str
) -> None:
    terminal.dies(dying, "records", "import", told)
    assert terminal.is_sound()
    assert_begins(terminal.content(), undisturbed["content"])

    counts = terminal.said("records", "import", told)

    assert counts["read"] == undisturbed["counts"]["read"] == sum(counts[name] for name in SUM)
    assert terminal.content() == undisturbed["content"]
    assert terminal.is_sound()


def assert_begins(there: dict[str, list[dict[str, Any]]], whole: dict[str, list[dict[str, Any]]]) -> None:
    """What is there is a beginning of the file, record by record; rejects of finished chunks alone may be there."""
    assert there["records"] == whole["records"][: len(there["records"])]
    reached = max((one["origin_line"] for one in there["records"]), default=0)
    begun = (reached + CHUNK - 1) // CHUNK * CHUNK
    assert there["rejects"] == [one for one in whole["rejects"] if one in there["rejects"] and one["line"] <= begun]
    assert [one for one in whole["rejects"] if one["line"] <= begun - CHUNK and one not in there["rejects"]] == []


def test_killed_again_and_again_at_any_time_nothing_is_lost_and_nothing_doubled(
    terminal: Importing, told: Path, undisturbed: dict[str, Any]
) -> None:
    chance, killed = random.Random(20261121), 0
    for share in sorted(chance.uniform(0.2, 1.0) for _ in range(6)):
        process = terminal.start("records", "import", told)
        try:
            process.communicate(timeout=share * undisturbed["seconds"])
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            killed += 1
    assert killed >= 3
    assert terminal.is_sound()
    counts = terminal.said("records", "import", told)
    assert counts["read"] == undisturbed["counts"]["read"] == sum(counts[name] for name in SUM)
    assert terminal.content() == undisturbed["content"]


@pytest.mark.parametrize(
    "dying",
    [
        "after storage.inbox.submit 1",  # told, not drained
        "after storage.tables.records_table.insert_records 1",  # in the transaction
        "before storage.inbox.mark_done 1",  # stored, and still in the inbox
    ],
)
def test_what_was_told_is_there_once_whenever_the_process_died(terminal: Importing, dying: str) -> None:
    terminal.dies(dying, "records", "add", "Where does Mike sleep?", "Mike sleeps on the piano.")
    terminal.said("inbox", "drain")
    (one,) = terminal.records()
    assert (one.record.instruction, one.status) == ("Where does Mike sleep?", "active")
    assert (inbox.counts(terminal.home / "inbox").pending, inbox.counts(terminal.home / "inbox").done) == (0, 1)
    assert terminal.is_sound()


@pytest.mark.parametrize("dying", ["after bonsai.actions.import_file._store 2", "before storage.inbox.mark_done 1"])
def test_a_file_in_the_inbox_is_taken_in_once_whenever_the_process_died(
    terminal: Importing, told: Path, undisturbed: dict[str, Any], dying: str
) -> None:
    inbox.submit_file(terminal.home / "inbox", told, datetime.now(UTC))
    terminal.dies(dying, "inbox", "drain")
    assert inbox.counts(terminal.home / "inbox").pending == 1
    counts = terminal.said("inbox", "drain")
    assert counts["read"] == undisturbed["counts"]["read"] == sum(counts[name] for name in SUM)
    there = inbox.counts(terminal.home / "inbox")
    assert (there.pending, there.done, there.failed) == (0, 1, 0)
    assert without_file(terminal.content()) == without_file(undisturbed["content"])


def without_file(content: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Records whatever the file was called that told them."""
    return [{name: value for name, value in one.items() if name != "origin_name"} for one in content["records"]]
