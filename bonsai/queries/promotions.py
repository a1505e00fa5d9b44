"""Promotions: list, evidence, the verified promotion log, and reviews."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from bonsai.context import Bonsai
from bonsai.domain.promotion import Pointer
from bonsai.errors import BonsaiError, IntegrityError, UnknownId
from bonsai.evaluate.blind_review import Tally, tally
from bonsai.queries.answers import promotion_of
from bonsai.queries.training_curves import TrainingCurves, read_curves, trainings_of
from storage.connect import Connection
from storage.tables import data_changes, nights_table, promotions_table, reviews_table
from storage.tables.promotions_table import Logged, Promotion
from storage.tables.reviews_table import Verdict


def list_promotions(b: Bonsai) -> list[Promotion]:
    """Newest first."""
    with b.database.reading() as con:
        return promotions_table.list_promotions(con)[::-1]


def show_promotion(b: Bonsai, adapter: str) -> Promotion:
    """By adapter id or an unambiguous prefix. Raises UnknownId, UsageError."""
    with b.database.reading() as con:
        return promotions_table.resolve(con, adapter)


def champion(b: Bonsai) -> str:
    """Id of the champion, or `base`."""
    with b.database.reading() as con:
        return promotions_table.champion(con).adapter


@dataclass(frozen=True, slots=True)
class History:
    """The promotion log and the result of verifying its hash chain."""

    lines: tuple[Logged, ...]
    "Newest first."
    head: str
    "Hash of the newest line; empty if the chain is broken."
    broken: BonsaiError | None
    "What was altered or is missing."


@dataclass(frozen=True, slots=True)
class Review:
    """One person's blind review."""

    person: str
    done: int
    asked: int
    last_at: datetime
    "Time of the newest verdict."
    tally: Tally | None
    "None while the review is unfinished."


@dataclass(frozen=True, slots=True)
class PromotionEvidence:
    """Everything stored about a promotion; no report is opened."""

    promotion: Promotion
    pointer: Pointer
    "The current champion."
    history: History
    "The whole log: a candidate's own lines prove nothing by themselves."
    accuracy: Mapping[str, Any]
    "Domain -> language -> before and after, on the selection pool; empty without its night."
    data_changes: Mapping[str, int]
    "Kind of change since the champion -> number of records."
    learned: tuple[TrainingCurves, ...]
    reviews: tuple[Review, ...]


def promotion_evidence(b: Bonsai, promotion: str) -> PromotionEvidence:
    """`promotion` is an adapter id or a prefix of one; empty means the newest. Raises UnknownId, UsageError."""
    with b.database.reading() as con:
        found = promotion_of(con, promotion)
        adapter, champion = found.adapter, found.judged_against
        counts = data_changes.counts(con, b.places.snapshots, adapter, champion)
        pointer, trainings = promotions_table.champion(con), trainings_of(con, found)
        history = history_of(con)
        accuracy, reviews = _accuracy(con, found.night), reviews_of(con, adapter)
    changed = {str(kind): count for kind, count in counts.items()}
    return PromotionEvidence(found, pointer, history, accuracy, changed, read_curves(b, trainings), reviews)


def history_of(con: Connection) -> History:
    """The promotion log, its hash chain verified."""
    lines = tuple(promotions_table.log(con)[::-1])
    try:
        return History(lines, promotions_table.verify(con), None)
    except IntegrityError as error:
        return History(lines, "", error)


def _accuracy(con: Connection, night: str) -> Mapping[str, Any]:
    try:
        found = (nights_table.get(con, night).outcome.report or {}).get("accuracy")
    except UnknownId:  # a home whose nights were not copied along
        return {}
    return found if isinstance(found, Mapping) else {}


def history(b: Bonsai) -> History:
    """The promotion log, its hash chain verified."""
    with b.database.reading() as con:
        return history_of(con)


def pointer(b: Bonsai) -> Pointer:
    """The current champion, as the promotion rules see it."""
    with b.database.reading() as con:
        return promotions_table.champion(con)


def reviews_of(con: Connection, adapter: str) -> tuple[Review, ...]:
    """Every person's review of a promotion, by name; opens no report."""
    given = reviews_table.of_promotion(con, adapter)
    given.sort(key=lambda one: one.person)  # stable: keeps each person's order
    return tuple(_review(person, list(found)) for person, found in groupby(given, key=lambda one: one.person))


def _review(person: str, given: Sequence[Verdict]) -> Review:
    last = given[-1]
    made = tally([one.preferred for one in given]) if len(given) >= last.asked else None
    return Review(person, len(given), last.asked, last.given_at, made)
