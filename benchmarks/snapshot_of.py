"""A training snapshot for the seedling, made without a home."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import ceil
from pathlib import Path

from bonsai.config.settings import Config
from bonsai.domain import snapshots
from bonsai.domain.snapshots import Example, Snapshot
from bonsai.model.bases import SEEDLING, model_folder
from bonsai.model.encoding import load_encoder
from bonsai.model.prompt import template
from bonsai.train.replay import replay_samples


def snapshot_of(
    config: Config,
    rows: Sequence[Example],
    folder: Path,
    now: datetime,
    *,
    seed: int,
    passes: int,
    validation_share: float,
) -> Snapshot:
    """Own rows, and replay samples for `passes` passes drawn with this seed, in a new subfolder of `folder`."""
    profile, settings = config.profiles["seedling"], config.training
    encoder, form = load_encoder(model_folder(profile.base)), template(profile.recipe.template)
    replayed = passes * ceil(len(rows) * settings.anchor_share / (1 - settings.anchor_share))
    made = snapshots.build(
        rows,
        replay_samples(SEEDLING, replayed, seed),
        seed=seed,
        validation_share=validation_share,
        anchor_share=settings.anchor_share,
        count_tokens=lambda row: encoder.tokens(form, row),
        max_tokens=profile.base.max_tokens,
        anchor_passes=passes,
    )
    return snapshots.write(made, folder / made.id, now)
