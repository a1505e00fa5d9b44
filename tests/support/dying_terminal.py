"""`bonsai` as a process of its own on one home; it can be killed at an exact call of one of its functions."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bonsai import bootstrap
from bonsai.actions.maintenance import check
from bonsai.context import Bonsai
from bonsai.queries.records import list_records
from storage.tables.record_rows import StoredRecord
from storage.tables.records_table import RecordFilter

PROGRAM = """
import importlib, os, signal, sys
from bonsai.actions import import_file

import_file.CHUNK = int(sys.argv.pop(1))
when, path, times = sys.argv.pop(1).split()
module, _, name = path.rpartition(".")
place = importlib.import_module(module)
original, calls = getattr(place, name), 0

def dies(*values, **named):
    global calls
    calls += 1
    if when == "before" and calls == int(times):
        os.kill(os.getpid(), signal.SIGKILL)
    made = original(*values, **named)
    if when == "after" and calls == int(times):
        os.kill(os.getpid(), signal.SIGKILL)
    return made

setattr(place, name, dies)
from bonsai.cli.main import main
main()
"""
"""`bonsai` in small chunks, killed before or after the n-th call of a function."""
NEVER = "after storage.tables.imports_table.list_imports 1"
CHUNK = 60
"Records a transaction, instead of thousands: many places to die in."


@dataclass(frozen=True)
class Terminal:
    """A home on which `bonsai` is called."""

    home: Path

    def start(self, *words: str | Path, dying: str = NEVER) -> subprocess.Popen[str]:
        """A command, running, with JSON as its answer. `dying`: `before` or `after`, a function, which call of it."""
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(CHUNK), dying, *map(str, words), "--json"],
            env={**os.environ, "BONSAI_HOME": str(self.home), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def said(self, *words: str | Path) -> Any:
        """The JSON of a command that ends well."""
        process = self.start(*words)
        out, err = process.communicate(timeout=280)
        assert process.returncode == 0, f"{out}\n{err}"
        return json.loads(out)

    def dies(self, dying: str, *words: str | Path) -> None:
        """A command that is killed there."""
        process = self.start(*words, dying=dying)
        out, err = process.communicate(timeout=280)
        assert process.returncode == -signal.SIGKILL, f"it was not killed {dying}: {out}\n{err}"

    def opened(self) -> Bonsai:
        """The home, looked at from here: starting a process for that costs a second."""
        return bootstrap.open(self.home, {})

    def is_sound(self) -> bool:
        """What `bonsai db check` looks at."""
        return all(one.ok for one in check(self.opened()))

    def records(self) -> list[StoredRecord]:
        """All of them, in order of arrival."""
        return list_records(self.opened(), RecordFilter(), None)
