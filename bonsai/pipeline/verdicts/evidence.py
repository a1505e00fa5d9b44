"""What stands beside a verdict, in one opening of the database: who answers, history, data, training, blind reviews."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bonsai.errors import BonsaiError, IntegrityError, UnknownId
from bonsai.pipeline.nights.learning import Learned, read_logs, trainings_of
from bonsai.pipeline.parts import Bonsai
from bonsai.pipeline.verdicts.compared import promotion_of
from bonsai.pipeline.verdicts.reviewing import Review, reviews_of
from bonsai.promotion import Pointer
from storage import data_changes, nights_table, promotions_table
from storage.connect import Connection
from storage.promotions_table import Logged, Promotion


@dataclass(frozen=True, slots=True)
class History:
    """Every move of a candidate, and whether nobody altered the account of it."""

    lines: tuple[Logged, ...]
    "Newest first."
    head: str
    "Hash of the newest line; empty when the chain is broken."
    broken: BonsaiError | None
    "What was found to be altered or missing."


@dataclass(frozen=True, slots=True)
class Beside:
    """All of it; no report is opened."""

    promotion: Promotion
    pointer: Pointer
    "Who answers now."
    history: History
    "The whole of it: a candidate's own lines prove nothing by themselves."
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
        history = history_of(con)
        accuracy, reviews = _accuracy(con, found.night), reviews_of(con, adapter)
    changed = {str(kind): count for kind, count in counts.items()}
    return Beside(found, pointer, history, accuracy, changed, read_logs(b, trainings), reviews)


def history_of(con: Connection) -> History:
    """The whole promotion log, its chain of hashes computed anew."""
    lines = tuple(promotions_table.log(con)[::-1])
    try:
        return History(lines, promotions_table.verify(con), None)
    except IntegrityError as error:
        return History(lines, "", error)


def _accuracy(con: Connection, night: str) -> Mapping[str, Any]:
    try:
        found = (nights_table.get(con, night).outcome.report or {}).get("accuracy")
    except UnknownId:  # a home whose nights were not brought along
        return {}
    return found if isinstance(found, Mapping) else {}
