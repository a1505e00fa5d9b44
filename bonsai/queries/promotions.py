"""Promotions: list, evidence, data changes, loss curves, reviews, and the verified promotion log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from bonsai.context import Bonsai
from bonsai.domain.promotion import BASE, Pointer
from bonsai.errors import BonsaiError, IntegrityError, UnknownId, UsageError
from bonsai.evaluate.blind_review import Tally, tally
from bonsai.i18n import TextLanguage, text
from bonsai.queries.answers import promotion_of
from bonsai.train.curve import Curve, read_curve, thinned
from storage.connect import Connection
from storage.tables import adapters_table, data_changes, nights_table, promotions_table, reviews_table
from storage.tables.data_changes import KINDS, ChangedRecord, ChangeGroup
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


LOG = "log.txt"
ID_LENGTH = 10
"Characters of an id in a sentence, as in tables."


@dataclass(frozen=True, slots=True)
class TrainingCurves:
    """Loss curve of one adapter."""

    adapter: str
    curve: Curve
    validation_loss: float | None
    "On held-out records after the last step; None without any."

    def words(self, is_candidate: bool, language: TextLanguage) -> str:
        """First and last loss in words, each averaged over a tenth of the training."""
        tenths = thinned(self.curve.losses, 10)
        values = {"first": tenths[0].loss, "last": tenths[-1].loss, "steps": self.curve.losses[-1].step}
        key = "review.loss_label" if is_candidate else "review.loss_compared"
        sentences = [text(key, language, adapter=self.adapter[:ID_LENGTH], **values)]
        if self.validation_loss is not None:
            sentences.append(text("review.loss_validation", language, loss=self.validation_loss))
        return " ".join(sentences)


@dataclass(frozen=True, slots=True)
class Training:
    """Where an adapter's training log is."""

    adapter: str
    night: str
    validation_loss: float | None


def trainings_of(con: Connection, candidate: Promotion) -> tuple[Training, ...]:
    """The candidate's, then its champion's."""
    compared = [candidate.adapter] + [candidate.judged_against] * (candidate.judged_against != BASE)
    return tuple(Training(one, promotions_table.get(con, one).night, _validation_loss(con, one)) for one in compared)


def read_curves(b: Bonsai, trainings: Sequence[Training]) -> tuple[TrainingCurves, ...]:
    """Curves whose logs exist; needs no database."""
    curves = [(one, read_curve(b.places.runs / one.night / LOG)) for one in trainings]
    return tuple(TrainingCurves(one.adapter, curve, one.validation_loss) for one, curve in curves if curve)


def _validation_loss(con: Connection, adapter: str) -> float | None:
    measured = adapters_table.get(con, adapter).manifest.get("measured")
    found = measured.get("validation_loss") if isinstance(measured, Mapping) else None
    return float(found) if isinstance(found, int | float) else None


__all__ = ["KINDS", "ChangeGroup", "ChangedRecord", "DataChanges", "data_changes_of"]


@dataclass(frozen=True, slots=True)
class DataChanges:
    """How a candidate's records differ from its champion's."""

    adapter: str
    judged_against: str
    groups: tuple[ChangeGroup, ...]
    records: tuple[ChangedRecord, ...]
    "One page, newest first."

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of records per kind of change; 0 if there are none."""
        found: Counter[str] = Counter()
        for group in self.groups:
            found[group.kind] += group.count
        return {kind: found[kind] for kind in KINDS}


def data_changes_of(b: Bonsai, promotion: str, limit: int, *, before: str = "", kind: str = "") -> DataChanges:
    """Up to `limit` changed records of a promotion, of one kind or of all.

    `promotion` is an adapter id or a prefix of one; empty means the newest. For the next page, pass the last record's
    id as `before`. Raises UnknownId, UsageError.
    """
    kinds = [one for one in KINDS if kind in ("", one)]
    if not kinds:
        raise UsageError("review.unknown_filter", name="kind", value=kind, valid=", ".join(KINDS))
    with b.database.reading() as con:
        found = promotion_of(con, promotion)
        with data_changes.materialised(con, b.places.snapshots, found.adapter, found.judged_against):
            groups = tuple(data_changes.groups(con))
            records = tuple(data_changes.page(con, limit=limit, before=before, kinds=kinds))
    return DataChanges(found.adapter, found.judged_against, groups, records)
