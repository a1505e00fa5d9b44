"""The inbox: submitting needs no database.

    submit(home.inbox, {"instruction": ..., "output": ...}, now)    -> the submission's id, once it is durable
    with draining(home.inbox, 20):                                  one drainer at a time
        for item in pending(home.inbox): ... done(item) or failed(item, reason)

A submission is one file: written, flushed, renamed, then acknowledged. It moves to `done/` only after the transaction
that stores it has committed. A drain that is killed in between processes it again; content ids make that idempotent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from bonsai.domain.records import Origin
from bonsai.errors import InputError
from bonsai.system.files import (
    copy_atomic,
    move_durably,
    remove_abandoned,
    sha256_file,
    sha256_json,
    sync_folder,
    write_json_atomic,
)
from bonsai.system.locks import file_lock

Kind = Literal["record", "file"]
FORM = Origin("form")
ITEM_NAME = re.compile(r"(?P<id>\d{8}T\d{12}Z-[0-9a-f]{16})\.(?P<kind>record|file)\.(?P<name>.+)", re.DOTALL)
MAX_NAME_BYTES = 200
"Bytes kept of a submitted file's name, counted from its end; file systems allow 255 for the whole name."


@dataclass(frozen=True, slots=True)
class InboxItem:
    """One pending submission."""

    id: str
    "Submission time and a hash; sorts in order of arrival."
    kind: Kind
    "`record`: fields of one record; `file`: a whole file to import."
    name: str
    "The submitted file's own name."
    path: Path


@dataclass(frozen=True, slots=True)
class InboxCounts:
    """Number of submissions in each state."""

    pending: int
    done: int
    failed: int


def submit(inbox: Path, fields: Mapping[str, object], at: datetime, origin: Origin = FORM) -> str:
    """Submit the fields of one record; returns the submission's id once it is durable.

    The same fields at the same time are one submission. Safe from any process or thread. `origin` is where the fields
    come from, when a person repaired a line of a file.
    """
    payload: dict[str, object] = {"submitted_at": at.astimezone(UTC).isoformat(), "fields": dict(fields)}
    if origin != FORM:
        payload["origin"] = [origin.name, origin.line]
    identity = _identity(at, sha256_json(payload))
    write_json_atomic(inbox / f"{identity}.record.json", {"id": identity, **payload})
    return identity


def submit_file(inbox: Path, file: Path, at: datetime) -> str:
    """Submit a copy of a whole file, which the next drain imports; returns the submission's id."""
    identity = _identity(at, sha256_file(file))
    name = file.name.encode("utf-8", "replace")[-MAX_NAME_BYTES:].decode("utf-8", "ignore")
    copy_atomic(file, inbox / f"{identity}.file.{name}")
    return identity


def pending(inbox: Path) -> list[InboxItem]:
    """Pending submissions in order of arrival; other files are ignored."""
    found = (ITEM_NAME.fullmatch(path.name) for path in sorted(inbox.iterdir()) if path.is_file())
    return [InboxItem(m["id"], m["kind"], m["name"], inbox / m[0]) for m in found if m]  # type: ignore[arg-type]


def find(inbox: Path, submission: str) -> InboxItem | None:
    """A record submission by its id, in any state; None when it is unknown or was erased."""
    name = f"{submission}.record.json"
    if not ITEM_NAME.fullmatch(name):
        return None
    places = (inbox, inbox / "done", inbox / "failed")
    path = next((folder / name for folder in places if (folder / name).is_file()), None)
    return InboxItem(submission, "record", "json", path) if path else None


def fields_of(item: InboxItem) -> dict[str, object]:
    """The fields of a `record` submission. Raises InputError for a damaged file."""
    try:
        fields = json.loads(item.path.read_text("utf-8"))["fields"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("storage.damaged_submission", path=item.path, detail=str(error)) from error
    if not isinstance(fields, dict):
        raise InputError("storage.damaged_submission", path=item.path, detail="fields")
    return fields


def origin_of(item: InboxItem) -> Origin:
    """Where the record of a readable submission comes from."""
    origin = json.loads(item.path.read_text("utf-8")).get("origin")
    return Origin(str(origin[0]), int(origin[1])) if origin else FORM


@contextmanager
def draining(inbox: Path, wait_seconds: float) -> Iterator[None]:
    """Hold the drain lock during the block; it is released with its process. Raises LockTimeout."""
    with file_lock(inbox / ".drain.lock", exclusive=True, wait_seconds=wait_seconds):
        remove_abandoned(inbox)
        yield


def mark_done(item: InboxItem) -> Path:
    """Move a submission to `done/` after its transaction has committed; returns its new path. Safe to repeat."""
    return _move(item, "done")


def mark_failed(item: InboxItem, reason: str) -> Path:
    """Move an unreadable submission to `failed/`, with its reason; returns its new path. Safe to repeat."""
    target = item.path.parent / "failed" / item.path.name
    write_json_atomic(target.with_name(f"{item.id}.reason.json"), {"file": item.path.name, "reason": reason})
    return _move(item, "failed")


def filed(inbox: Path, folder: Literal["done", "failed"] = "done") -> list[InboxItem]:
    """Submissions that are done or failed, in order of arrival."""
    found = (ITEM_NAME.fullmatch(path.name) for path in _listing(inbox / folder))
    return [InboxItem(m["id"], m["kind"], m["name"], inbox / folder / m[0]) for m in found if m]  # type: ignore[arg-type]


def erase(item: InboxItem) -> None:
    """Remove a submission whose records are stored or were forgotten. Safe to repeat."""
    item.path.unlink(missing_ok=True)
    sync_folder(item.path.parent)


def counts(inbox: Path) -> InboxCounts:
    """Number of pending, done and failed submissions."""
    failures = sum(ITEM_NAME.fullmatch(path.name) is not None for path in _listing(inbox / "failed"))
    return InboxCounts(len(pending(inbox)), len(_listing(inbox / "done")), failures)


def _identity(at: datetime, digest: str) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S%f}Z-{digest[:16]}"


def _move(item: InboxItem, folder: str) -> Path:
    target = item.path.parent / folder / item.path.name
    if item.path.exists():
        target.parent.mkdir(exist_ok=True)
        move_durably(item.path, target)
    return target


def _listing(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
