"""`logs/audit.jsonl`: the audit log, one line for each decision on the dashboard and each login.

It holds ids and names, never a record's text. A line is one write in append mode, so lines of several processes never
interleave. Unlike the promotion log it is not hash-chained; it adds the client's address.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

NAME = "audit.jsonl"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what, and from where."""

    at: datetime
    who: str
    action: str
    "`approve`, `reject`, `rollback`, `forget`, `login` ..."
    target: str = ""
    "Id of the object."
    address: str = ""
    "The client's network address."
    token: str = ""
    "Id of the API token that was used; empty on the pages."


def append(logs: Path, entry: AuditEntry) -> None:
    """Append one line and flush it to the disk, before the request is answered."""
    line = json.dumps({**asdict(entry), "at": entry.at.isoformat()}, ensure_ascii=True) + "\n"
    descriptor = os.open(logs / NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(logs: Path) -> list[AuditEntry]:
    """All entries, oldest first."""
    path = logs / NAME
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    return [AuditEntry(**{**one, "at": datetime.fromisoformat(one["at"])}) for one in lines]
