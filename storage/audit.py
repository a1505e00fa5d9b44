"""`logs/audit.jsonl`: one line for everything that somebody decided on the dashboard, and for every login.

Ids and names alone, never a record's text. A line is one write to a file opened for appending, so that lines of several
processes do not mix. What the promotion log proves by its hashes stands there; this file also knows from where.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

NAME = "audit.jsonl"


@dataclass(frozen=True, slots=True)
class Act:
    """Who did what, from where."""

    at: datetime
    who: str
    action: str
    "`approve`, `reject`, `rollback`, `forget`, `login` ..."
    target: str = ""
    "Id of what it was done to."
    address: str = ""
    "Of the person's machine."
    token: str = ""
    "Id of the API token by which they did it; empty on the pages."


def note(logs: Path, act: Act) -> None:
    """Append one line, flushed to the disk before anything is answered."""
    line = json.dumps({**asdict(act), "at": act.at.isoformat()}, ensure_ascii=True) + "\n"
    descriptor = os.open(logs / NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(logs: Path) -> list[Act]:
    """Every line, oldest first."""
    path = logs / NAME
    told = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    return [Act(**{**one, "at": datetime.fromisoformat(one["at"])}) for one in told]
