"""The trained adapters of a home: each with its passport, its lineage down to single records, and its files.

    shown = show_adapter(b, "3f2a")
    for chunk in archive(shown): ...        # the folder as one .tar, the same bytes every time

A folder is found by the adapter's id in the database, never by a path that somebody names.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bonsai.context import Bonsai
from bonsai.domain.promotion import BASE, State
from bonsai.errors import IntegrityError, UsageError
from bonsai.queries.models import adapter_id
from bonsai.system.files import sha256_file, stream_atomic
from bonsai.train.manifest import MANIFEST_FILE, AdapterManifest, read_manifest
from storage.connect import Connection
from storage.tables import adapters_table, lineage, promotions_table
from storage.tables.adapters_table import Adapter
from storage.tables.lineage import LearnedRecord

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class AdapterSummary:
    """One adapter in a list."""

    id: str
    base: str
    parent: str
    "Adapter that its training began from; empty for a cold one."
    state: str
    "Of its promotion; empty for one that was never judged."
    needs_retrain: bool
    "It learned from a record that was forgotten since."
    records: int
    "Own records of its snapshot."
    size: int
    "Bytes of its folder; 0 where it is gone."
    created_at: datetime


@dataclass(frozen=True, slots=True)
class File:
    """One file of an adapter."""

    name: str
    size: int
    "0 where it is gone."
    sha256: str
    "As the passport says; empty for the passport itself."


@dataclass(frozen=True, slots=True)
class FullAdapter:
    """All that is known of one adapter."""

    line: AdapterSummary
    adapter: Adapter
    passport: AdapterManifest
    "As the night recorded it in the database."
    ancestors: tuple[AdapterSummary, ...]
    "The chain of warm starts, nearest first."
    children: tuple[str, ...]
    files: tuple[File, ...]
    folder: Path


def list_adapters(b: Bonsai, limit: int, before: str = "") -> list[AdapterSummary]:
    """Newest first; for the next page pass the last one's id as `before`."""
    with b.database.reading() as con:
        found = adapters_table.page(con, limit, before)
        return _lines(b, con, found)


def answering_models(b: Bonsai, limit: int) -> dict[str, State]:
    """The newest adapters that were judged, with their states: who can be asked beside the champion."""
    with b.database.reading() as con:
        return promotions_table.newest_states(con, limit)


def show_adapter(b: Bonsai, name: str) -> FullAdapter:
    """By id, a beginning of one, or `champion`. Raises UnknownId, UsageError."""
    with b.database.reading() as con:
        wanted = adapter_id(con, name)
        if wanted == BASE:
            raise UsageError("adapters.base_is_none")
        adapter = adapters_table.get(con, wanted)
        ancestors = lineage.ancestors(con, adapter)
        children = tuple(lineage.children(con, wanted))
        line, *lines = _lines(b, con, [adapter, *ancestors])
    passport = AdapterManifest(**dict(adapter.passport))  # type: ignore[arg-type]
    folder = _folder(b, adapter)
    hashes = {**passport.files, MANIFEST_FILE: ""}
    return FullAdapter(
        line=line,
        adapter=adapter,
        passport=passport,
        ancestors=tuple(lines),
        children=children,
        files=tuple(File(name, _size(folder / name), sha256) for name, sha256 in sorted(hashes.items())),
        folder=folder,
    )


def learned_records(b: Bonsai, snapshot_id: str, limit: int, after: int = -1) -> list[LearnedRecord]:
    """What an adapter's own training held; for the next page pass the last one's place as `after`."""
    with b.database.reading() as con:
        return lineage.learned(con, snapshot_id, limit, after)


def check_files(shown: FullAdapter) -> IntegrityError | None:
    """What is wrong with the files of an adapter, by the hashes of its passport; reads them all."""
    try:
        found = read_manifest(shown.folder)
    except IntegrityError as error:
        return error
    if found.files != shown.passport.files:  # a passport that fits its files, and yet another one
        return IntegrityError("training.adapter_altered", folder=shown.folder, file=MANIFEST_FILE)
    return None


def archive(shown: FullAdapter) -> Iterator[bytes]:
    """The adapter's folder as a .tar, piece by piece: the same files are the same bytes whenever they are asked for."""
    folder = shown.folder
    at = int(shown.adapter.created_at.timestamp())
    for file in shown.files:
        info = tarfile.TarInfo(f"bonsai-adapter-{shown.line.id}/{file.name}")
        info.size, info.mtime = (folder / file.name).stat().st_size, at
        yield info.tobuf(tarfile.PAX_FORMAT)
        with (folder / file.name).open("rb") as opened:
            while chunk := opened.read(CHUNK):
                yield chunk
        yield b"\0" * (-info.size % tarfile.BLOCKSIZE)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


def archive_size(shown: FullAdapter) -> int:
    """Bytes of `archive`."""
    block = tarfile.BLOCKSIZE
    headers = [
        len(tarfile.TarInfo(f"bonsai-adapter-{shown.line.id}/{one.name}").tobuf(tarfile.PAX_FORMAT))
        for one in shown.files
    ]
    return sum(headers) + sum(-(-one.size // block) * block for one in shown.files) + 2 * block


def archive_hash(shown: FullAdapter) -> str:
    """Hex SHA-256 of `archive`, so that whoever has downloaded it can tell."""
    made = hashlib.sha256()
    for chunk in archive(shown):
        made.update(chunk)
    return made.hexdigest()


def require_whole(shown: FullAdapter) -> None:
    """Raises IntegrityError: an altered adapter is given to nobody."""
    problem = check_files(shown)
    if problem:
        raise problem


def export_adapter(b: Bonsai, name: str, path: Path) -> str:
    """Write the archive of an adapter to `path`; its SHA-256. Raises UsageError when the folder is missing."""
    shown = show_adapter(b, name)
    if not path.parent.is_dir():
        raise UsageError("pipeline.no_folder", folder=path.parent)
    require_whole(shown)
    stream_atomic(path, archive(shown))
    return sha256_file(path)


def _folder(b: Bonsai, adapter: Adapter) -> Path:
    """In this home, also when the home was moved since."""
    here = b.places.adapters / Path(adapter.folder).name
    return here if here.is_dir() else Path(adapter.folder)


def _lines(b: Bonsai, con: Connection, found: Sequence[Adapter]) -> list[AdapterSummary]:
    states = promotions_table.states_of(con, [one.id for one in found])
    records = lineage.own_records(con, [one.snapshot_id for one in found])
    return [_line(b, one, states, records) for one in found]


def _line(b: Bonsai, one: Adapter, states: Mapping[str, State], records: Mapping[str, int]) -> AdapterSummary:
    folder = _folder(b, one)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
    return AdapterSummary(
        id=one.id,
        base=one.base,
        parent=one.parent,
        state=states[one.id].value if one.id in states else "",
        needs_retrain=one.needs_retrain,
        records=records.get(one.snapshot_id, 0),
        size=size,
        created_at=one.created_at,
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
