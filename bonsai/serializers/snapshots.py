"""A preview of a snapshot -> `bonsai.schemas.snapshots`."""

from __future__ import annotations

from bonsai.queries.snapshot_preview import Preflight
from bonsai.schemas import snapshots as schemas
from bonsai.train.preview import Preview, TokenCost


def snapshot_preview(found: Preflight) -> schemas.SnapshotPreview:
    """What the next night would meet."""
    names = ("profile", "template", "limit", "records", "longest")
    return schemas.SnapshotPreview(
        **{name: getattr(found, name) for name in names},
        previews=[_preview(one) for one in found.previews],
        costs=[_cost(one) for one in found.costs],
        too_long=[schemas.LongRecord.model_validate(one) for one in found.too_long],
    )


def _preview(one: Preview) -> schemas.RecordPreview:
    return schemas.RecordPreview(
        id=one.record_id,
        language=one.language,
        category=one.category,
        tokens=one.tokens(),
        learned=one.tokens("declared", "answer", "end"),
        too_long=one.too_long,
        pieces=[schemas.Piece.model_validate(piece) for piece in one.pieces],
    )


def _cost(one: TokenCost) -> schemas.TokenCost:
    fields = {name: getattr(one, name) for name in ("language", "texts", "characters", "tokens")}
    return schemas.TokenCost(**fields, tokens_a_character=round(one.tokens_a_character, 3))
