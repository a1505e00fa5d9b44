"""Loss curves of a candidate and its champion, from the training logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bonsai.context import Bonsai
from bonsai.domain.promotion import BASE
from bonsai.i18n import TextLanguage, text
from bonsai.train.curve import Curve, read_curve, thinned
from storage.connect import Connection
from storage.tables import adapters_table, promotions_table
from storage.tables.promotions_table import Promotion

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
        told = [text(key, language, adapter=self.adapter[:ID_LENGTH], **values)]
        if self.validation_loss is not None:
            told.append(text("review.loss_validation", language, loss=self.validation_loss))
        return " ".join(told)


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
    measured = adapters_table.get(con, adapter).passport.get("measured")
    found = measured.get("validation_loss") if isinstance(measured, Mapping) else None
    return float(found) if isinstance(found, int | float) else None
