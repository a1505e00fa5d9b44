"""What stands beside a verdict, in one opening of the database: who answers, history, data, training, blind reviews."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bonsai.errors import UnknownId
from bonsai.pipeline.compared import promotion_of
from bonsai.pipeline.learning import Learned, read_logs, trainings_of
from bonsai.pipeline.parts import Bonsai
from bonsai.pipeline.reviewing import Review, reviews_of
from bonsai.promotion import Pointer
from storage import data_changes, nights_table, promotions_table
from storage.connect import Connection
from storage.promotions_table import Logged, Promotion


@dataclass(frozen=True, slots=True)
class Beside:
    """All of it; no report is opened."""

    promotion: Promotion
    pointer: Pointer
    "Who answers now."
    lines: tuple[Logged, ...]
    "Of the history, newest first; only those about this candidate."
    accuracy: Mapping[str, Any]
    "Domain -> language -> before and after, on the selection pool; empty without its night."
    data_changes: Mapping[str, int]
    "Kind of change since the champion -> records."
    learned: tuple[Learned, ...]
    reviews: tuple[Review, ...]


def beside(b: Bonsai, promotion: str) -> Beside:
    """By adapter id or a beginning of one; the newest for an empty one. Raises UnknownId, UsageError."""
    with b.database.reading() as con:
        found = promotion_of(con, promotion)
        adapter, champion = found.adapter, found.judged_against
        counts = data_changes.counts(con, b.places.snapshots, adapter, champion)
        pointer, trainings = promotions_table.champion(con), trainings_of(con, found)
        lines = tuple(one for one in promotions_table.log(con)[::-1] if one.entry.adapter == adapter)
        accuracy, reviews = _accuracy(con, found.night), reviews_of(con, adapter)
    changed = {str(kind): count for kind, count in counts.items()}
    return Beside(found, pointer, lines, accuracy, changed, read_logs(b, trainings), reviews)


def _accuracy(con: Connection, night: str) -> Mapping[str, Any]:
    try:
        found = (nights_table.get(con, night).outcome.report or {}).get("accuracy")
    except UnknownId:  # a home whose nights were not brought along
        return {}
    return found if isinstance(found, Mapping) else {}
