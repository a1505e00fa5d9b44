"""What was acknowledged is never lost and never doubled, whoever dies when."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bonsai.errors import InputError, LockTimeout
from storage import inbox
from storage.home import Home
from storage.inbox import InboxCounts
from storage.tables import records_table

ROOT = Path(__file__).parents[2]
SUBMIT = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from storage import inbox
for number in range(10**9):
    print(inbox.submit(Path(sys.argv[1]), {"output": "x" * 5000, "number": number}, datetime.now(UTC)), flush=True)
"""
KILLED_WHILE_WRITING = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from storage import inbox
os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
inbox.submit(Path(sys.argv[1]), {"output": "lost"}, datetime.now(UTC))
"""
DRAIN = """
import hashlib, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
sys.path.insert(0, "tests/database")
from conftest import new_record
from storage import inbox
from storage.connect import Database
from storage.tables import records_table
home, kill_at = Path(sys.argv[1]), int(sys.argv[2])
database = Database(home / "bonsai.duckdb", 30, "200MB", 1)
with inbox.draining(home / "inbox", 30):
    for position, item in enumerate(inbox.pending(home / "inbox")):
        new = new_record(str(inbox.fields_of(item)["instruction"]))
        with database.writing() as con:
            records_table.insert_records(con, [new], item.id, datetime(2026, 11, 21, tzinfo=UTC))
            if position == kill_at and sys.argv[3] == "inside":
                os.kill(os.getpid(), signal.SIGKILL)
        if position == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        inbox.mark_done(item)
"""


def run(script: str, *arguments: object) -> int:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, timeout=60, stdout=subprocess.DEVNULL).returncode


def test_a_submission_waits_whole_and_in_order(home: Home, at: datetime) -> None:
    ids = [inbox.submit(home.inbox, {"instruction": f"質問{n}"}, at + timedelta(seconds=n)) for n in (2, 1, 3)]
    waiting = inbox.pending(home.inbox)
    assert [item.id for item in waiting] == sorted(ids)
    assert [inbox.fields_of(item)["instruction"] for item in waiting] == ["質問1", "質問2", "質問3"]
    assert inbox.counts(home.inbox) == InboxCounts(3, 0, 0)


def test_a_submission_may_hold_any_text(home: Home, at: datetime) -> None:
    fields = {"instruction": "torn \ud83d 猫\x00\r\n", "happened_on": None, "line": 3}
    inbox.submit(home.inbox, fields, at)
    assert inbox.fields_of(inbox.pending(home.inbox)[0]) == fields


def test_done_is_out_of_the_way_and_safe_to_repeat(home: Home, at: datetime) -> None:
    inbox.submit(home.inbox, {"instruction": "q"}, at)
    (item,) = inbox.pending(home.inbox)
    assert inbox.mark_done(item) == inbox.mark_done(item)
    assert json.loads(inbox.mark_done(item).read_text())["fields"] == {"instruction": "q"}
    assert inbox.counts(home.inbox) == InboxCounts(0, 1, 0)


def test_a_damaged_submission_is_put_aside_with_its_reason(home: Home, at: datetime) -> None:
    inbox.submit(home.inbox, {"instruction": "q"}, at)
    (item,) = inbox.pending(home.inbox)
    for damaged in (b"{", b"[]", b'{"fields": 3}', b"\xff\xfe", b"{}"):
        item.path.write_bytes(damaged)
        with pytest.raises(InputError, match="not a valid submission"):
            inbox.fields_of(item)
    target = inbox.mark_failed(item, "it is torn")
    assert target.read_bytes() == b"{}"
    assert json.loads(target.with_name(f"{item.id}.reason.json").read_text())["reason"] == "it is torn"
    assert inbox.counts(home.inbox) == InboxCounts(0, 0, 1)


def test_a_whole_file_waits_under_its_own_name(home: Home, at: datetime, tmp_path: Path) -> None:
    for name in ("cats.v2.jsonl", "ねこ" * 41 + ".csv"):
        (tmp_path / name).write_bytes(b"\x82\xa0\r\n" * 1000)
        inbox.submit_file(home.inbox, tmp_path / name, at + timedelta(seconds=len(name)))
    first, second = inbox.pending(home.inbox)
    assert (first.kind, first.name) == ("file", "cats.v2.jsonl")
    assert first.path.read_bytes() == b"\x82\xa0\r\n" * 1000
    assert second.name == ("ねこ" * 41)[-65:] + ".csv"


def test_what_is_no_submission_is_left_alone(home: Home) -> None:
    (home.inbox / "notes.txt").write_text("mine")
    (home.inbox / "folder").mkdir()
    assert inbox.pending(home.inbox) == []


def test_submitters_in_many_threads_lose_nothing(home: Home, at: datetime) -> None:
    def submit(number: int) -> None:
        for _ in range(3):  # a retry of the same submission is the same submission
            inbox.submit(home.inbox, {"instruction": f"q{number}"}, at)

    threads = [threading.Thread(target=submit, args=[number]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(inbox.pending(home.inbox)) == 20
    assert [path.name for path in home.inbox.iterdir() if path.name.endswith(".tmp")] == []


def test_every_acknowledged_submission_survives_a_kill(home: Home) -> None:
    command = [sys.executable, "-c", SUBMIT, str(home.inbox)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip() for _ in range(50)]
        process.send_signal(signal.SIGKILL)
        acknowledged += process.stdout.read().split()
    waiting = {item.id: inbox.fields_of(item) for item in inbox.pending(home.inbox)}
    assert set(acknowledged) <= set(waiting)
    assert len(waiting) <= len(acknowledged) + 1
    assert all(len(str(fields["output"])) == 5000 for fields in waiting.values())


def test_what_a_killed_submitter_left_is_swept_up(home: Home) -> None:
    assert run(KILLED_WHILE_WRITING, home.inbox) == -signal.SIGKILL
    assert len([path for path in home.inbox.iterdir() if path.name.endswith(".tmp")]) == 1
    assert inbox.pending(home.inbox) == []
    alive = home.inbox / f".{'0' * 16}.{os.getpid()}-1.tmp"
    alive.touch()
    with inbox.draining(home.inbox, 1):
        assert [path.name for path in home.inbox.iterdir() if path.name.endswith(".tmp")] == [alive.name]


@pytest.mark.parametrize("where", ["inside", "outside"])
def test_a_killed_drain_is_made_up_for_by_the_next(home: Home, at: datetime, where: str) -> None:
    for number in range(6):
        inbox.submit(home.inbox, {"instruction": f"q{number}"}, at + timedelta(seconds=number))
    assert run(DRAIN, home.root, 2, where) == -signal.SIGKILL
    assert inbox.counts(home.inbox) == InboxCounts(4, 2, 0)
    assert run(DRAIN, home.root, -1, where) == 0
    assert run(DRAIN, home.root, -1, where) == 0
    assert inbox.counts(home.inbox) == InboxCounts(0, 6, 0)
    with home.database.reading() as con:
        stored = records_table.list_records(con)
    assert [one.record.instruction for one in stored] == [f"q{number}" for number in range(6)]


def test_one_drainer_at_a_time(home: Home) -> None:
    with inbox.draining(home.inbox, 1), pytest.raises(LockTimeout), inbox.draining(home.inbox, 0.05):
        pass
