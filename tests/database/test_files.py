"""A file is the old one or the new one, never half of either."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bonsai.system.files import (
    copy_atomic,
    move_durably,
    remove_abandoned,
    sha256_file,
    sha256_json,
    write_atomic,
    write_json_atomic,
)


def test_a_write_replaces_the_whole_file_and_makes_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    write_atomic(path, "a longer first text")
    write_atomic(path, "短い")
    assert path.read_text("utf-8") == "短い"
    assert sha256_file(path) == hashlib.sha256("短い".encode()).hexdigest()
    assert [found.name for found in path.parent.iterdir()] == ["file.txt"]


def test_a_write_that_fails_keeps_the_old_file_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.txt"
    write_atomic(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(path, "new")
    with pytest.raises(OSError, match="No space"):
        copy_atomic(path, tmp_path / "copy.txt")
    assert {found.name: found.read_text() for found in tmp_path.iterdir()} == {"file.txt": "old"}


def test_a_name_as_long_as_names_can_be_is_written(tmp_path: Path) -> None:
    path = tmp_path / ("猫" * 85)  # 255 bytes
    write_atomic(path, b"\x00\xff")
    copy_atomic(path, tmp_path / "copy")
    move_durably(tmp_path / "copy", tmp_path / "moved")
    assert (tmp_path / "moved").read_bytes() == path.read_bytes() == b"\x00\xff"


def test_json_is_canonical_and_holds_any_text(tmp_path: Path) -> None:
    value = {"b": [1, 2.5, None], "a": "猫 \ud83d"}
    write_json_atomic(tmp_path / "value.json", value)
    assert json.loads((tmp_path / "value.json").read_text("utf-8")) == value
    assert sha256_json(value) == sha256_json({"a": "猫 \ud83d", "b": [1, 2.5, None]}) != sha256_json({})


def test_only_what_dead_writers_left_is_swept_up(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    dead, alive = (f".{'0' * 16}.{pid}-1.tmp" for pid in (process.pid, os.getpid()))
    for name in (dead, alive, "mine.tmp", ".hidden"):
        (tmp_path / name).touch()
    remove_abandoned(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([alive, "mine.tmp", ".hidden"])
