"""Snapshots: the immutable training set of a night, with its hashes.

    made = build(rows, replay_samples, seed=7, validation_share=0.05, anchor_share=0.5, ...)
    stored = write(made, folder)      # records.parquet, then manifest.json, both flushed
    same = read(folder)               # IntegrityError when a byte differs

`build` is pure and independent of the order of rows. Rows that are too long are refused and listed, never truncated: a
truncated row would teach the model not to stop. Replay samples (`anchor`) are general records, trained again against
catastrophic forgetting (experience replay; Rolnick et al. 2019, https://arxiv.org/abs/1811.11682).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import ClassVar, Literal

from bonsai.errors import IntegrityError
from bonsai.system.files import sha256_file, sha256_json, write_atomic, write_json_atomic
from bonsai.system.json_values import from_values, to_values

Role = Literal["own", "replay", "anchor"]
RECORDS = "records.parquet"
MANIFEST = "manifest.json"
FORMAT = 1
"Version of the folder's layout."


@dataclass(frozen=True, slots=True)
class Example:
    """One row of a snapshot."""

    record_id: str
    "The record's id; the content id for `anchor` rows."
    role: Role
    """`own` rows are in every pass. `replay` (own records that the parent adapter knows) and `anchor` (general
    records) are divided among the passes."""
    instruction: str
    context: str
    "The record's `input`."
    reasoning: str
    category: str
    language: str
    "The answer's language."
    output: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`manifest.json`: the folder's content and hashes."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    format: int
    id: str
    content_hash: str
    "SHA-256 over all rows and their splits, independent of the file's layout."
    records_sha256: str
    "SHA-256 of the Parquet file."
    seed: int
    train: int
    "Training rows, replay samples included."
    anchors: int
    validation: int
    train_tokens: int
    anchors_a_pass: int
    refused: tuple[str, ...]
    "Ids of records that are longer than the base's limit."
    created_at: str
    "ISO 8601, UTC."
    replayed: int = 0
    "Own records that a warm start replays."
    replayed_a_pass: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot; on the disk `records.parquet` and `manifest.json`, written last."""

    id: str
    "First 16 hex digits of `content_hash`."
    content_hash: str
    folder: str
    "Empty before it is written."
    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    seed: int
    train_tokens: int = 0
    "Tokens of all rows of `train`."
    anchors_a_pass: int = 0
    "Replay samples in one pass over the own rows."
    replayed_a_pass: int = 0
    "The same for the rows of role `replay`."
    refused: tuple[str, ...] = ()
    "Ids of records that are longer than the base's limit; reported, and not trained on."


def build(
    rows: Iterable[Example],
    replay_samples: Sequence[Example],
    *,
    seed: int,
    validation_share: float,
    anchor_share: float,
    count_tokens: Callable[[Example], int],
    max_tokens: int,
    anchor_passes: int = 1,
    replay: Iterable[Example] = (),
    replayed_a_pass: int = 0,
) -> Snapshot:
    """Choose the training and validation rows.

    `anchor_share` is the share of replay samples in each pass (0.5: one for each own row), as far as there are any;
    with `anchor_passes` that many passes get different ones, which forgets less than repeating the same.
    `validation_share` is the share of `rows` that is held out, stratified by language and category. `replay` are own
    rows that the parent adapter knows (`bonsai.train.continual`), `replayed_a_pass` of them in each pass.
    """
    own = {row.record_id: row for row in rows}
    again = sorted(replay, key=lambda row: row.record_id)
    lengths = {row: count_tokens(row) for row in (*own.values(), *again, *replay_samples)}
    refused = tuple(sorted(row.record_id for row in own.values() if lengths[row] > max_tokens))
    fitting = sorted((row for row in own.values() if lengths[row] <= max_tokens), key=lambda row: row.record_id)
    held_out = _held_out(fitting, validation_share, seed)
    learned = [row for row in fitting if row.record_id not in held_out]
    a_pass = len(learned) + replayed_a_pass
    samples_a_pass = round(a_pass * anchor_share / (1 - anchor_share)) if anchor_share < 1 else len(replay_samples)
    sampled = _sample(
        [row for row in replay_samples if lengths[row] <= max_tokens], samples_a_pass * anchor_passes, seed
    )
    train = tuple(sorted((*learned, *again, *sampled), key=lambda row: (row.role, row.record_id)))
    validation = tuple(row for row in fitting if row.record_id in held_out)
    made = content_hash(train, validation)
    return Snapshot(
        id=made[:16],
        content_hash=made,
        folder="",
        train=train,
        validation=validation,
        seed=seed,
        train_tokens=sum(lengths[row] for row in train),
        anchors_a_pass=min(samples_a_pass, len(sampled)),
        replayed_a_pass=replayed_a_pass,
        refused=refused,
    )


def _held_out(rows: Sequence[Example], share: float, seed: int) -> set[str]:
    """Ids of the validation rows: `share` of each language and category, remainders carried from group to group."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        groups[row.language, row.category].append(row.record_id)
    chosen: set[str] = set()
    carried = 0.0
    for key in sorted(groups):
        carried += len(groups[key]) * share
        count = int(carried + 1e-9)
        carried -= count
        chosen.update(Random(f"{seed} {key}").sample(groups[key], min(count, len(groups[key]))))
    return chosen


def _sample(replay_samples: Sequence[Example], count: int, seed: int) -> list[Example]:
    """Up to `count` replay samples, independent of their order."""
    distinct = sorted({row.record_id: row for row in replay_samples}.values(), key=lambda row: row.record_id)
    return Random(f"{seed} anchors").sample(distinct, min(count, len(distinct)))


def content_hash(train: Iterable[Example], validation: Iterable[Example]) -> str:
    """SHA-256 over all rows' fields and splits, independent of their order."""
    listed = [[split, *asdict(row).values()] for split, rows in (("train", train), ("val", validation)) for row in rows]
    return sha256_json(sorted(listed))


def write(snapshot: Snapshot, folder: Path, created_at: datetime) -> Snapshot:
    """Write a snapshot's folder. Safe to repeat."""
    import pandas as pd

    splits = (("train", snapshot.train), ("validation", snapshot.validation))
    rows = [{"split": split, **asdict(row)} for split, chosen in splits for row in chosen]
    table = pd.DataFrame(rows, columns=["split", *(field.name for field in fields(Example))])
    write_atomic(folder / RECORDS, table.to_parquet(index=False))
    manifest = Manifest(
        format=FORMAT,
        id=snapshot.id,
        content_hash=snapshot.content_hash,
        records_sha256=sha256_file(folder / RECORDS),
        seed=snapshot.seed,
        train=len(snapshot.train),
        anchors=sum(row.role == "anchor" for row in snapshot.train),
        validation=len(snapshot.validation),
        train_tokens=snapshot.train_tokens,
        anchors_a_pass=snapshot.anchors_a_pass,
        refused=snapshot.refused,
        created_at=created_at.isoformat(),
        replayed=sum(row.role == "replay" for row in snapshot.train),
        replayed_a_pass=snapshot.replayed_a_pass,
    )
    write_json_atomic(folder / MANIFEST, to_values(manifest))
    return replace(snapshot, folder=str(folder))


def read(folder: Path) -> Snapshot:
    """Read a snapshot's folder. Raises IntegrityError when it is unfinished, of another version, or altered."""
    import pandas as pd

    manifest = _manifest(folder)
    records = folder / RECORDS
    if not records.is_file() or sha256_file(records) != manifest.records_sha256:
        raise IntegrityError("snapshots.altered", folder=folder)
    rows = pd.read_parquet(records).to_dict("records")
    split: dict[str, list[Example]] = {"train": [], "validation": []}
    for row in rows:
        values = {str(name): value for name, value in row.items()}
        split[values.pop("split")].append(Example(**values))
    made = content_hash(split["train"], split["validation"])
    if made != manifest.content_hash:
        raise IntegrityError("snapshots.altered", folder=folder)
    return Snapshot(
        id=made[:16],
        content_hash=made,
        folder=str(folder),
        train=tuple(split["train"]),
        validation=tuple(split["validation"]),
        seed=manifest.seed,
        train_tokens=manifest.train_tokens,
        anchors_a_pass=manifest.anchors_a_pass,
        replayed_a_pass=manifest.replayed_a_pass,
        refused=manifest.refused,
    )


def _manifest(folder: Path) -> Manifest:
    try:
        values = json.loads((folder / MANIFEST).read_text("utf-8"))
        found = values["format"]
        if found == FORMAT:
            return from_values(Manifest, values)
    except FileNotFoundError:
        raise IntegrityError("snapshots.unfinished", folder=folder) from None
    except (ValueError, TypeError, KeyError):
        raise IntegrityError("snapshots.altered", folder=folder) from None
    raise IntegrityError("snapshots.format_unknown", folder=folder, found=found, known=FORMAT)
