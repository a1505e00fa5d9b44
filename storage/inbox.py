"""The inbox: appending never needs the database.

    submit(home.inbox, {"instruction": ..., "output": ...}, now)    -> its id, once it is safely on the disk
    with draining(home.inbox, 20):                                  one drainer at a time
        for item in pending(home.inbox): ... done(item) or failed(item, reason)

A submission is a file of its own: written, flushed, renamed, then acknowledged. It stays where it is until the
transaction that stores it is committed, and only then moves to `done/`; a drain that is killed in between meets
it again, and content ids make the second time change nothing.
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
from bonsai.system.locks import held

Kind = Literal["record", "file"]
FORM = Origin("form")
ITEM_NAME = re.compile(r"(?P<id>\d{8}T\d{12}Z-[0-9a-f]{16})\.(?P<kind>record|file)\.(?P<name>.+)", re.DOTALL)
LONGEST_NAME = 200
"Bytes of a spooled file's own name that are kept, its end first; file systems allow 255 in all."


@dataclass(frozen=True, slots=True)
class InboxItem:
    """One submission that waits."""

    id: str
    "Time of submission and a hash: sorts in order of arrival."
    kind: Kind
    "`record`: fields of one record; `file`: a whole file to import."
    name: str
    "The submitted file's own name."
    path: Path


@dataclass(frozen=True, slots=True)
class InboxCounts:
    """How many submissions lie where."""

    pending: int
    done: int
    failed: int


def submit(inbox: Path, fields: Mapping[str, object], at: datetime, origin: Origin = FORM) -> str:
    """Put the fields of one record into the inbox; its id, after it is on the disk.

    The same fields at the same time are one submission. Any process or thread may submit at any time. `origin` is
    where they stood, when a person took them from a file.
    """
    payload: dict[str, object] = {"submitted_at": at.astimezone(UTC).isoformat(), "fields": dict(fields)}
    if origin != FORM:
        payload["origin"] = [origin.name, origin.line]
    identity = _identity(at, sha256_json(payload))
    write_json_atomic(inbox / f"{identity}.record.json", {"id": identity, **payload})
    return identity


def submit_file(inbox: Path, file: Path, at: datetime) -> str:
    """Put a whole file into the inbox, to be imported by the next drain; its id. The file itself is left alone."""
    identity = _identity(at, sha256_file(file))
    name = file.name.encode("utf-8", "replace")[-LONGEST_NAME:].decode("utf-8", "ignore")
    copy_atomic(file, inbox / f"{identity}.file.{name}")
    return identity


def pending(inbox: Path) -> list[InboxItem]:
    """What waits, in order of arrival. Files that are no submission are left alone."""
    found = (ITEM_NAME.fullmatch(path.name) for path in sorted(inbox.iterdir()) if path.is_file())
    return [InboxItem(m["id"], m["kind"], m["name"], inbox / m[0]) for m in found if m]  # type: ignore[arg-type]


def find(inbox: Path, submission: str) -> InboxItem | None:
    """A submission of a record by its id, wherever it lies; None when there is none, or it was erased."""
    name = f"{submission}.record.json"
    if not ITEM_NAME.fullmatch(name):
        return None
    places = (inbox, inbox / "done", inbox / "failed")
    path = next((folder / name for folder in places if (folder / name).is_file()), None)
    return InboxItem(submission, "record", "json", path) if path else None


def fields_of(item: InboxItem) -> dict[str, object]:
    """The fields of a `record` submission. Raises InputError for a file that is damaged."""
    try:
        fields = json.loads(item.path.read_text("utf-8"))["fields"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("storage.damaged_submission", path=item.path, detail=str(error)) from error
    if not isinstance(fields, dict):
        raise InputError("storage.damaged_submission", path=item.path, detail="fields")
    return fields


def origin_of(item: InboxItem) -> Origin:
    """Where the record of a readable submission stood."""
    told = json.loads(item.path.read_text("utf-8")).get("origin")
    return Origin(str(told[0]), int(told[1])) if told else FORM


@contextmanager
def draining(inbox: Path, wait_seconds: float) -> Iterator[None]:
    """Be the only drainer during the block. The lock dies with its process. Raises LockTimeout."""
    with held(inbox / ".drain.lock", exclusive=True, wait_seconds=wait_seconds):
        remove_abandoned(inbox)
        yield


def done(item: InboxItem) -> Path:
    """File a submission away after its transaction was committed; where it lies now. Safe to repeat."""
    return _move(item, "done")


def failed(item: InboxItem, reason: str) -> Path:
    """File a submission that cannot be read, with the reason beside it; where it lies now. Safe to repeat."""
    target = item.path.parent / "failed" / item.path.name
    write_json_atomic(target.with_name(f"{item.id}.reason.json"), {"file": item.path.name, "reason": reason})
    return _move(item, "failed")


def filed(inbox: Path, folder: Literal["done", "failed"] = "done") -> list[InboxItem]:
    """What was filed away, in order of arrival."""
    found = (ITEM_NAME.fullmatch(path.name) for path in _listing(inbox / folder))
    return [InboxItem(m["id"], m["kind"], m["name"], inbox / folder / m[0]) for m in found if m]  # type: ignore[arg-type]


def erase(item: InboxItem) -> None:
    """Remove a submission whose records are stored, or were forgotten. Safe to repeat."""
    item.path.unlink(missing_ok=True)
    sync_folder(item.path.parent)


def counts(inbox: Path) -> InboxCounts:
    """How many wait, are stored, could not be read."""
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
