from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bonsai.domain.snapshots import MANIFEST, RECORDS, Example, Snapshot, build, read, write
from bonsai.errors import IntegrityError

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
ROWS = [
    Example(f"{n:02}", "own", f"猫{n}は?", "a\nb" if n % 2 else "", "r", "open_qa", "ja", f"「{n}」です。\n以上。")
    for n in range(20)
]


@pytest.fixture
def stored(tmp_path: Path) -> Snapshot:
    made = build(
        ROWS,
        [Example("a", "anchor", "Capital?", "", "r", "open_qa", "en", "Paris.")],
        seed=3,
        validation_share=0.1,
        anchor_share=0.5,
        count_tokens=lambda row: len(row.output),
        max_tokens=10,
    )
    return write(made, tmp_path / made.id, NOW)


def test_what_is_written_is_read(stored: Snapshot) -> None:
    assert len(stored.validation) == 1  # ten fit ("「10」です。\n以上。" is one too long), a tenth of them is held out
    assert len(stored.refused) == 10
    assert read(Path(stored.folder)) == stored


def test_the_manifest_counts_for_a_person(stored: Snapshot) -> None:
    manifest = json.loads(Path(stored.folder, MANIFEST).read_text("utf-8"))

    assert manifest["train"] == 10
    assert manifest["anchors"] == 1
    assert manifest["validation"] == 1
    assert manifest["refused"] == [f"{n:02}" for n in range(10, 20)]
    assert manifest["train_tokens"] == stored.train_tokens
    assert manifest["created_at"] == "2026-11-21T08:00:00+00:00"


def test_writing_twice_changes_nothing(stored: Snapshot) -> None:
    folder = Path(stored.folder)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    write(stored, folder, NOW)

    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_changed_byte_is_noticed(stored: Snapshot) -> None:
    records = Path(stored.folder, RECORDS)
    content = bytearray(records.read_bytes())
    content[len(content) // 2] ^= 1
    records.write_bytes(content)

    with pytest.raises(IntegrityError, match="does not match its manifest"):
        read(records.parent)


def test_another_hash_in_the_manifest_is_noticed(stored: Snapshot) -> None:
    path = Path(stored.folder, MANIFEST)
    manifest = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**manifest, "content_hash": "0" * 64}))

    with pytest.raises(IntegrityError, match="does not match its manifest"):
        read(path.parent)


def test_without_a_manifest_it_was_never_finished(stored: Snapshot) -> None:
    Path(stored.folder, MANIFEST).unlink()

    with pytest.raises(IntegrityError, match="never finished"):
        read(Path(stored.folder))


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 2}', '{"format": 1}'])
def test_a_strange_manifest_is_one_clear_error(stored: Snapshot, content: str) -> None:
    Path(stored.folder, MANIFEST).write_text(content)

    with pytest.raises(IntegrityError, match=r"Delete the folder|Use the version of Bonsai"):
        read(Path(stored.folder))
