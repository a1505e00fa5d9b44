"""Files on their way in: uploaded, looked at, then taken in or cancelled. A folder each, under `uploads/`.

    .receiving-<process>-<token>/   bytes still arriving; invisible
    <id>/                           renamed from it when all bytes are on the disk
        data.csv                    the bytes; gone after they were taken in
        upload.json                 what it is, and whose
        check.json                  what a look at the file found; holds texts of it, so it goes with the bytes
        confirmed.json              somebody said: take it in, as such and such
        result.json                 what became of it

Each file is written once and whole, so the last one that is there says how far the upload is, whenever the power goes.
The name that a browser gives is kept to be shown; no path is ever made of it.
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
from bonsai.errors import UnknownId, UsageError
from bonsai.system.files import lives, move_durably, sync_folder, write_json_atomic
from bonsai.system.locks import held

State = Literal["unchecked", "checked", "confirmed", "done"]
Part = Literal["upload", "check", "confirmed", "result"]
SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".txt", ".parquet")
"What is kept of a file's name on the disk: readers look at it."
ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")
RECEIVING = re.compile(r"\.receiving-(\d+)-[0-9a-f]{8}")
LONGEST_NAME = 120
LOCK_SECONDS = 5.0
FORGOTTEN_AFTER = timedelta(days=30)
"What became of a file is shown so long."
UNKNOWN_WRITER = timedelta(days=1)
"After which a half-received file is dead even if some process has its writer's number now."


@dataclass(frozen=True, slots=True)
class Upload:
    """One uploaded file."""

    id: str
    name: str
    "What its owner calls it."
    size: int
    "Bytes."
    who: str
    at: datetime
    state: State
    folder: Path
    told: Mapping[Part, Mapping[str, Any]]
    "The JSON files that are there."

    @property
    def data(self) -> Path:
        """The bytes; none are there when it is done."""
        return self.folder / f"data{suffix_of(self.name)}"


def shown_name(given: str) -> str:
    """A browser's file name without folders, control characters and excess; never empty."""
    last = re.split(r"[/\\]", given)[-1]
    return one_line(normalise(last), LONGEST_NAME).strip(". ") or "upload"


def suffix_of(name: str) -> str:
    """One of `SUFFIXES`, or nothing."""
    return next((one for one in SUFFIXES if name.lower().endswith(one)), "")


def start(uploads: Path) -> Path:
    """A folder for bytes that arrive; nobody sees it yet."""
    folder = uploads / f".receiving-{getpid()}-{secrets.token_hex(4)}"
    folder.mkdir(parents=True, mode=0o700)
    return folder


def finish(arrived: Path, data: Path, name: str, who: str, at: datetime) -> Upload:
    """Make an upload of the folder whose `data` file is whole and flushed."""
    identity = f"{at:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    told = {"id": identity, "name": name, "size": data.stat().st_size, "who": who, "at": at.isoformat()}
    data.replace(arrived / f"data{suffix_of(name)}")
    write_json_atomic(arrived / "upload.json", told)
    sync_folder(arrived)
    move_durably(arrived, arrived.with_name(identity))
    return get(arrived.parent, identity)


def get(uploads: Path, identity: str) -> Upload:
    """One upload. Raises UnknownId."""
    folder = uploads / identity
    if not ID.fullmatch(identity) or not (folder / "upload.json").is_file():
        raise UnknownId("storage.unknown_upload", id=identity[:40])
    parts: tuple[Part, ...] = ("upload", "check", "confirmed", "result")
    told = {part: found for part in parts if (found := _read(folder, part)) is not None}
    states: tuple[State, ...] = ("unchecked", "checked", "confirmed", "done")
    state = next(state for part, state in zip(parts[::-1], states[::-1], strict=True) if part in told)
    about = told["upload"]
    at = datetime.fromisoformat(about["at"])
    return Upload(identity, about["name"], about["size"], about["who"], at, state, folder, told)


def listed(uploads: Path, limit: int | None = None) -> list[Upload]:
    """All, or so many, the newest first."""
    names = [path.name for path in uploads.iterdir() if ID.fullmatch(path.name)] if uploads.is_dir() else []
    found = []
    for name in sorted(names, reverse=True)[:limit]:
        with suppress(UnknownId):  # cancelled meanwhile
            found.append(get(uploads, name))
    return found


def tell(upload: Upload, part: Part, value: Mapping[str, Any]) -> None:
    """Write one of its files. Where it was cancelled meanwhile, what this leaves is no upload, and is swept."""
    write_json_atomic(upload.folder / f"{part}.json", dict(value))


def confirm(uploads: Path, identity: str, value: Mapping[str, Any]) -> Upload:
    """Somebody wants it taken in. Safe to repeat. Raises UnknownId."""
    with held(uploads / ".lock", exclusive=True, wait_seconds=LOCK_SECONDS):
        upload = get(uploads, identity)
        if "confirmed" not in upload.told:
            tell(upload, "confirmed", value)
    return get(uploads, identity)


def cancel(uploads: Path, identity: str) -> None:
    """Nothing is left of it. Raises UnknownId, and UsageError when it is being taken in already."""
    with held(uploads / ".lock", exclusive=True, wait_seconds=LOCK_SECONDS):
        upload = get(uploads, identity)
        if upload.state == "confirmed":
            raise UsageError("storage.upload_confirmed", name=upload.name)
        _remove(upload.folder)


def drop_texts(upload: Upload) -> None:
    """The bytes and what was shown of them, when what became of them is written down. Safe to repeat."""
    for path in (upload.folder / "check.json", upload.data):  # the larger one last: while it is there, some may be left
        path.unlink(missing_ok=True)
    sync_folder(upload.folder)


def sweep(uploads: Path, now: datetime, unconfirmed: timedelta) -> list[str]:
    """Remove what nobody will come back for; the names of what went.

    That is: bytes whose receiver was killed, uploads that nobody confirmed in time, old results.
    """
    if not uploads.is_dir():
        return []
    with held(uploads / ".lock", exclusive=True, wait_seconds=LOCK_SECONDS):
        doomed = [path for path in uploads.iterdir() if path.is_dir() and _is_over(path, now, unconfirmed)]
        for path in doomed:
            _remove(path)
    return [path.name for path in doomed]


def _is_over(folder: Path, now: datetime, unconfirmed: timedelta) -> bool:
    receiver = RECEIVING.fullmatch(folder.name)
    if receiver:
        age = now.timestamp() - folder.stat().st_mtime
        return not lives(int(receiver[1])) or age > UNKNOWN_WRITER.total_seconds()
    try:
        upload = get(folder.parent, folder.name)
    except UnknownId:
        return True
    if upload.state == "done":
        return now - upload.at > FORGOTTEN_AFTER
    return upload.state != "confirmed" and now - upload.at > unconfirmed


def _remove(folder: Path) -> None:
    """Out of sight in one step, then gone; a power cut in between leaves what the next sweep removes."""
    hidden = folder.with_name(f".gone-{secrets.token_hex(4)}")
    move_durably(folder, hidden)
    shutil.rmtree(hidden)


def _read(folder: Path, part: Part) -> dict[str, Any] | None:
    try:
        told: dict[str, Any] = json.loads((folder / f"{part}.json").read_text("utf-8"))
    except FileNotFoundError:
        return None
    return told
