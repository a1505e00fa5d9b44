"""Uploaded files: received, checked, then imported or cancelled. A folder each, under `uploads/`.

    .receiving-<process>-<token>/   still being received; hidden
    <id>/                           renamed from it when all bytes are durable
        data.csv                    the bytes; removed after the import
        upload.json                 name, size, owner and time
        check.json                  the result of the check; quotes the file, so it is removed with the bytes
        confirmed.json              a person's request to import it, with its source
        result.json                 the result of the import

Each file is written once, atomically, so the last one present is the upload's state even after a power cut.
The browser's file name is only shown; no path is built from it.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from os import getpid
from pathlib import Path
from typing import Any, Literal

from bonsai.domain.characters import normalise, one_line
from bonsai.domain.records import LONGEST_FILE_NAME
from bonsai.errors import UnknownId, UsageError
from bonsai.system.files import is_alive, move_durably, sync_folder, write_json_atomic
from bonsai.system.locks import file_lock

State = Literal["unchecked", "checked", "confirmed", "done"]
Part = Literal["upload", "check", "confirmed", "result"]
SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".txt", ".parquet")
"Suffixes kept on the disk: readers depend on them."
ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")
RECEIVING = re.compile(r"\.receiving-(\d+)-[0-9a-f]{8}")
LOCK_SECONDS = 5.0
RESULT_RETENTION = timedelta(days=30)
"How long results are shown."
MAX_RECEIVING = timedelta(days=1)
"After this a partly received file is abandoned even if a process has its writer's id."


@dataclass(frozen=True, slots=True)
class Upload:
    """One uploaded file."""

    id: str
    name: str
    "The file name, for display."
    size: int
    "Bytes."
    who: str
    at: datetime
    state: State
    folder: Path
    parts: Mapping[Part, Mapping[str, Any]]
    "Content of the JSON files that exist."

    @property
    def data(self) -> Path:
        """The data file; absent when it is done."""
        return self.folder / f"data{suffix_of(self.name)}"


def shown_name(given: str) -> str:
    """A browser's file name without folders and control characters, cut to size; never empty."""
    last = re.split(r"[/\\]", given)[-1]
    return one_line(normalise(last), LONGEST_FILE_NAME).strip(". ") or "upload"


def suffix_of(name: str) -> str:
    """One of `SUFFIXES`, or nothing."""
    return next((one for one in SUFFIXES if name.lower().endswith(one)), "")


def start(uploads: Path) -> Path:
    """A hidden folder to receive bytes in."""
    folder = uploads / f".receiving-{getpid()}-{secrets.token_hex(4)}"
    folder.mkdir(parents=True, mode=0o700)
    return folder


def finish(received: Path, data: Path, name: str, who: str, at: datetime) -> Upload:
    """Turn a receiving folder with a complete, flushed `data` file into an upload."""
    identity = f"{at:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    about = {"id": identity, "name": name, "size": data.stat().st_size, "who": who, "at": at.isoformat()}
    data.replace(received / f"data{suffix_of(name)}")
    write_json_atomic(received / "upload.json", about)
    sync_folder(received)
    move_durably(received, received.with_name(identity))
    return get(received.parent, identity)


def get(uploads: Path, identity: str) -> Upload:
    """One upload. Raises UnknownId."""
    folder = uploads / identity
    if not ID.fullmatch(identity) or not (folder / "upload.json").is_file():
        raise UnknownId("storage.unknown_upload", id=identity[:40])
    parts: tuple[Part, ...] = ("upload", "check", "confirmed", "result")
    contents = {part: found for part in parts if (found := _read(folder, part)) is not None}
    states: tuple[State, ...] = ("unchecked", "checked", "confirmed", "done")
    state = next(state for part, state in zip(parts[::-1], states[::-1], strict=True) if part in contents)
    about = contents["upload"]
    at = datetime.fromisoformat(about["at"])
    return Upload(identity, about["name"], about["size"], about["who"], at, state, folder, contents)


def listed(uploads: Path, limit: int | None = None) -> list[Upload]:
    """Uploads, newest first."""
    names = [path.name for path in uploads.iterdir() if ID.fullmatch(path.name)] if uploads.is_dir() else []
    found = []
    for name in sorted(names, reverse=True)[:limit]:
        with suppress(UnknownId):  # cancelled meanwhile
            found.append(get(uploads, name))
    return found


def write_part(upload: Upload, part: Part, value: Mapping[str, Any]) -> None:
    """Write one of its JSON files. If it was cancelled meanwhile, the leftover folder is swept."""
    write_json_atomic(upload.folder / f"{part}.json", dict(value))


def confirm(uploads: Path, identity: str, value: Mapping[str, Any]) -> Upload:
    """Request its import. Safe to repeat. Raises UnknownId."""
    with file_lock(uploads / ".lock", exclusive=True, wait_seconds=LOCK_SECONDS):
        upload = get(uploads, identity)
        if "confirmed" not in upload.parts:
            write_part(upload, "confirmed", value)
    return get(uploads, identity)


def cancel(uploads: Path, identity: str) -> None:
    """Remove an upload. Raises UnknownId, and UsageError once its import was requested."""
    with file_lock(uploads / ".lock", exclusive=True, wait_seconds=LOCK_SECONDS):
        upload = get(uploads, identity)
        if upload.state == "confirmed":
            raise UsageError("storage.upload_confirmed", name=upload.name)
        _remove(upload.folder)


def drop_texts(upload: Upload) -> None:
    """Remove the bytes and the check after the result is written. Safe to repeat."""
    for path in (upload.folder / "check.json", upload.data):  # data last: while it exists, the other may too
        path.unlink(missing_ok=True)
    sync_folder(upload.folder)


def sweep(uploads: Path, now: datetime, unconfirmed: timedelta) -> list[str]:
    """Remove uploads of killed receivers, uploads not confirmed in time, and old results; returns their names."""
    if not uploads.is_dir():
        return []
    with file_lock(uploads / ".lock", exclusive=True, wait_seconds=LOCK_SECONDS):
        expired = [path for path in uploads.iterdir() if path.is_dir() and _is_expired(path, now, unconfirmed)]
        for path in expired:
            _remove(path)
    return [path.name for path in expired]


def _is_expired(folder: Path, now: datetime, unconfirmed: timedelta) -> bool:
    receiver = RECEIVING.fullmatch(folder.name)
    if receiver:
        age = now.timestamp() - folder.stat().st_mtime
        return not is_alive(int(receiver[1])) or age > MAX_RECEIVING.total_seconds()
    try:
        upload = get(folder.parent, folder.name)
    except UnknownId:
        return True
    if upload.state == "done":
        return now - upload.at > RESULT_RETENTION
    return upload.state != "confirmed" and now - upload.at > unconfirmed


def _remove(folder: Path) -> None:
    """Hide a folder by one rename, then delete it; the next sweep finishes after a power cut."""
    hidden = folder.with_name(f".gone-{secrets.token_hex(4)}")
    move_durably(folder, hidden)
    shutil.rmtree(hidden)


def _read(folder: Path, part: Part) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads((folder / f"{part}.json").read_text("utf-8"))
    except FileNotFoundError:
        return None
    return content
