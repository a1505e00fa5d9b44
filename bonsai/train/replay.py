"""Replay samples: general rows, trained again against forgetting, that belong to the base.

The seedling replays the facts of its pre-training (`bonsai.train.seedling_facts`); any other base its own answers to
general prompts (`bonsai.train.own_answers`), which a night has it give once. A base never learns another's knowledge.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from bonsai.domain.snapshots import Example
from bonsai.train import own_answers, seedling_facts

ReplaySource = Literal["seedling"] | Path
"`seedling`: its facts; a path: the file with the own answers of another base."


def replay_samples(source: ReplaySource, count: int, seed: int) -> list[Example]:
    """`count` rows in both languages alike; fewer when a base has fewer own answers, and none when it has none.

    Raises IntegrityError for a file of own answers that is missing or damaged.
    """
    if source == "seedling":
        return seedling_facts.samples(count, seed)
    return own_answers.samples(own_answers.read(source).rows, count, seed)
