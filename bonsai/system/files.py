"""Durable file writes: to a temporary file, flushed to the disk, then renamed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

TEMPORARY_NAME = re.compile(r"\.[0-9a-f]{16}\.(\d+)-\d+\.tmp")
"Hash of the final name (which may have the maximum length), process and thread: unique for each writer."


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write `content`; `path` has either the old bytes or all of the new ones."""
    with _replacing(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def copy_atomic(source: Path, path: Path) -> None:
    """Copy a file of any size atomically."""
    with source.open("rb") as file, _replacing(path) as copy:
        shutil.copyfileobj(file, copy)


def stream_atomic(path: Path, chunks: Iterable[bytes]) -> None:
    """Write chunks of bytes atomically."""
    with _replacing(path) as file:
        for chunk in chunks:
            file.write(chunk)


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A temporary file that replaces `path` when the block ends, and is removed when it raises."""
    path.parent.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]
    temporary = path.with_name(f".{name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder that becomes `path`, whole and durable, when the block ends; when it raises, nothing is left.

    It lies beside `path` in a temporary folder, whose other content (scratch files) goes in either case. What killed
    writers of the same name left is removed first. Raises FileExistsError when `path` has appeared meanwhile.
    """
    name = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]
    for left in path.parent.glob(f".{name}.*.unfinished"):
        if not is_alive(int(left.name.split(".")[2])):
            shutil.rmtree(left)
    temporary = path.with_name(f".{name}.{os.getpid()}.unfinished")
    made = temporary / "made"
    made.mkdir(parents=True)
    try:
        yield made
        for file in (one for one in made.rglob("*") if one.is_file()):
            _flush(file)
        sync_folder(made)
        if path.exists():
            raise FileExistsError(path)
        made.rename(path)
        sync_folder(path.parent)
    finally:
        shutil.rmtree(temporary)


def _flush(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def is_full(error: OSError) -> bool:
    """Whether the disk or the user's quota is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def move_durably(path: Path, target: Path) -> None:
    """Rename within one file system; after a power cut the file is in one of the two places."""
    path.replace(target)
    sync_folder(target.parent)
    sync_folder(path.parent)


def remove_abandoned(folder: Path) -> None:
    """Remove temporary files whose writers are gone."""
    for path in folder.iterdir():
        writer = TEMPORARY_NAME.fullmatch(path.name)
        if writer and not is_alive(int(writer[1])):
            path.unlink(missing_ok=True)


def is_alive(pid: int) -> bool:
    """Whether the process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def write_json_atomic(path: Path, value: Any) -> None:
    """`value` as indented UTF-8 JSON with sorted keys, written atomically."""
    made = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    write_atomic(path, made.encode("utf-8", "backslashreplace"))  # a lone surrogate becomes its JSON escape


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_json(value: Any) -> str:
    """Hex SHA-256 of a JSON-able value in its canonical form (sorted keys, no spaces, UTF-8)."""
    made = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(made.encode("utf-8", "backslashreplace")).hexdigest()
