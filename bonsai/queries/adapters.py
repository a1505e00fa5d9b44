"""Trained adapters: list, manifest, lineage down to single records, and the folder as a reproducible archive.

    shown = show_adapter(b, "3f2a")
    for chunk in archive(shown): ...        # a .tar of the folder, byte for byte the same every time

The folder is looked up by the adapter's id in the database, never from a path in a request.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bonsai.context import Bonsai
from bonsai.domain.promotion import BASE, CHAMPION, State
from bonsai.errors import IntegrityError, UsageError
from bonsai.inference.client import ModelRef
from bonsai.model.bases import find_device
from bonsai.system.files import sha256_file, stream_atomic
from bonsai.train.manifest import MANIFEST_FILE, AdapterManifest, read_manifest
from storage.connect import Connection
from storage.tables import adapters_table, promotions_table
from storage.tables import adapters_table as table_adapters_table
from storage.tables.adapters_table import Adapter, LearnedRecord

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class AdapterSummary:
    """One row of the adapter list."""

    id: str
    base: str
    parent: str
    "Adapter that the training started from; empty after a cold start."
    state: str
    "State of its promotion; empty if it was never judged."
    needs_retrain: bool
    "It was trained on a record that has since been forgotten."
    records: int
    "Own records in its snapshot."
    size: int
    "Bytes of its folder; 0 if the folder is missing."
    created_at: datetime


@dataclass(frozen=True, slots=True)
class File:
    """One file of an adapter."""

    name: str
    size: int
    "Bytes; 0 if the file is missing."
    sha256: str
    "As the manifest states it; empty for the manifest itself."


@dataclass(frozen=True, slots=True)
class FullAdapter:
    """An adapter with its manifest, lineage and files."""

    line: AdapterSummary
    adapter: Adapter
    manifest: AdapterManifest
    "As the night recorded it in the database."
    ancestors: tuple[AdapterSummary, ...]
    "The chain of warm starts, nearest first."
    children: tuple[str, ...]
    files: tuple[File, ...]
    folder: Path


def list_adapters(b: Bonsai, limit: int, before: str = "") -> list[AdapterSummary]:
    """Newest first. For the next page, pass the last id as `before`."""
    with b.database.reading() as con:
        found = adapters_table.page(con, limit, before)
        return _lines(b, con, found)


def answering_models(b: Bonsai, limit: int) -> dict[str, State]:
    """The newest judged adapters with their states: those that can be asked beside the champion."""
    with b.database.reading() as con:
        return promotions_table.newest_states(con, limit)


def show_adapter(b: Bonsai, name: str) -> FullAdapter:
    """`name` is an id, a prefix of one, or `champion`. Raises UnknownId, UsageError."""
    with b.database.reading() as con:
        identity = adapter_id(con, name)
        if identity == BASE:
            raise UsageError("adapters.base_is_none")
        adapter = adapters_table.get(con, identity)
        ancestors = table_adapters_table.ancestors(con, adapter)
        children = tuple(table_adapters_table.children(con, identity))
        line, *lines = _lines(b, con, [adapter, *ancestors])
    manifest = AdapterManifest(**dict(adapter.manifest))  # type: ignore[arg-type]
    folder = _folder(b, adapter)
    hashes = {**manifest.files, MANIFEST_FILE: ""}
    return FullAdapter(
        line=line,
        adapter=adapter,
        manifest=manifest,
        ancestors=tuple(lines),
        children=children,
        files=tuple(File(name, _size(folder / name), sha256) for name, sha256 in sorted(hashes.items())),
        folder=folder,
    )


def learned_records(b: Bonsai, snapshot_id: str, limit: int, after: int = -1) -> list[LearnedRecord]:
    """The own records that an adapter was trained on. For the next page, pass the last place as `after`."""
    with b.database.reading() as con:
        return table_adapters_table.learned_records(con, snapshot_id, limit, after)


def check_files(shown: FullAdapter) -> IntegrityError | None:
    """The first mismatch between the adapter's files and its manifest's hashes, or None. Reads every file."""
    try:
        found = read_manifest(shown.folder)
    except IntegrityError as error:
        return error
    if found.files != shown.manifest.files:  # the manifest matches its files, but is not the recorded one
        return IntegrityError("training.adapter_altered", folder=shown.folder, file=MANIFEST_FILE)
    return None


def archive(shown: FullAdapter) -> Iterator[bytes]:
    """Stream the adapter's folder as a .tar. The same files always give the same bytes."""
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
    """Size of `archive` in bytes."""
    block = tarfile.BLOCKSIZE
    headers = [
        len(tarfile.TarInfo(f"bonsai-adapter-{shown.line.id}/{one.name}").tobuf(tarfile.PAX_FORMAT))
        for one in shown.files
    ]
    return sum(headers) + sum(-(-one.size // block) * block for one in shown.files) + 2 * block


def archive_hash(shown: FullAdapter) -> str:
    """Hex SHA-256 of `archive`, for whoever downloads it to verify."""
    made = hashlib.sha256()
    for chunk in archive(shown):
        made.update(chunk)
    return made.hexdigest()


def require_whole(shown: FullAdapter) -> None:
    """Raises IntegrityError if a file was altered: such an adapter is never exported."""
    problem = check_files(shown)
    if problem:
        raise problem


def export_adapter(b: Bonsai, name: str, path: Path) -> str:
    """Write the archive to `path` and return its SHA-256.

    Raises UsageError if the parent folder is missing or `path` exists already.
    """
    shown = show_adapter(b, name)
    if path.exists() or path.is_symlink():
        raise UsageError("export.exists", path=path)
    if not path.parent.is_dir():
        raise UsageError("pipeline.no_folder", folder=path.parent)
    require_whole(shown)
    stream_atomic(path, archive(shown))
    return sha256_file(path)


def _folder(b: Bonsai, adapter: Adapter) -> Path:
    """The folder in this home, even if the home was moved."""
    here = b.places.adapters / Path(adapter.folder).name
    return here if here.is_dir() else Path(adapter.folder)


def _lines(b: Bonsai, con: Connection, found: Sequence[Adapter]) -> list[AdapterSummary]:
    states = promotions_table.states_of(con, [one.id for one in found])
    records = table_adapters_table.own_record_counts(con, [one.snapshot_id for one in found])
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


def adapter_id(con: Connection, name: str) -> str:
    """The full adapter id, or `base`. Raises UnknownId if none matches, UsageError if several do."""
    if name == CHAMPION:
        return promotions_table.champion(con).adapter
    if name == BASE:
        return BASE
    return adapters_table.resolve(con, name)


def model_ref(b: Bonsai, name: str) -> ModelRef:
    """Reference to a model by name. The bare base uses the template of this machine's profile. Raises UnknownId."""
    profile = b.config.profiles[b.find_profile()]
    device, form = find_device().kind, profile.recipe.template
    with b.database.reading() as con:
        adapter = adapter_id(con, name)
        if adapter == BASE:
            return ModelRef(profile.base, device, form)
        return ModelRef(profile.base, device, form, adapter, adapters_table.get(con, adapter).folder)
