"""Training rows of an arm: the same own records and replay samples in every arm, except for what the arm varies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from bonsai.domain import snapshots
from bonsai.domain.snapshots import Example, Snapshot
from bonsai.train.seedling_facts import fact_samples
from research.experiment import chinese
from research.experiment.plan import Arm

_TRANSLATION = "translation"


@dataclass(frozen=True, slots=True)
class Room:
    """Maximum row length and share of replay."""

    count_tokens: Callable[[Example], int]
    max_tokens: int
    anchor_share: float
    "Share of replay samples in each pass."


def snapshot_of(arm: Arm, own: Sequence[Example], passes: int, seed: int, room: Room) -> Snapshot:
    """The rows of an arm, unwritten. The replay count ignores the Chinese records, so that only these differ."""
    kept = [row for row in own if arm.translation or row.category != _TRANSLATION]
    a_pass = ceil(len(kept) * room.anchor_share / (1 - room.anchor_share))
    rows = [*kept, *(chinese.records() if arm.chinese else ())]
    return snapshots.build(
        rows,
        replayed(passes * a_pass, seed, translation=arm.translation),
        seed=seed,
        validation_share=0.0,
        anchor_share=a_pass / (a_pass + len(rows)),
        count_tokens=room.count_tokens,
        max_tokens=room.max_tokens,
        anchor_passes=passes,
    )


def replayed(count: int, seed: int, *, translation: bool) -> list[Example]:
    """`count` replay samples of the seedling, which experiments train; without translations, others replace them."""
    drawn = fact_samples(count if translation else 2 * count, seed)
    return [one for one in drawn if translation or one.category != _TRANSLATION][:count]


def response_bytes(snapshot: Snapshot, passes: int) -> int:
    """UTF-8 bytes of all answers in the training; equal in arms with the same rows, whatever their tags."""
    own = sum(len(row.output.encode()) for row in snapshot.train if row.role == "own")
    sample_bytes = [len(row.output.encode()) for row in snapshot.train if row.role == "anchor"]
    seen = passes * snapshot.anchors_a_pass
    return passes * own + round(sum(sample_bytes) * seen / len(sample_bytes)) if sample_bytes else passes * own
