"""How a candidate learned: the loss of its training beside its champion's, from the logs that the trainings left."""

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
"Characters of an id that a sentence shows, as tables do."


@dataclass(frozen=True, slots=True)
class TrainingCurves:
    """One adapter's training."""

    adapter: str
    curve: Curve
    validation_loss: float | None
    "On the records that were held out, after the last step; None without any."

    def words(self, is_candidate: bool, language: TextLanguage) -> str:
        """From where to where the loss went, as means of a tenth of the training each."""
        tenths = thinned(self.curve.losses, 10)
        values = {"first": tenths[0].loss, "last": tenths[-1].loss, "steps": self.curve.losses[-1].step}
        key = "review.loss_label" if is_candidate else "review.loss_compared"
        told = [text(key, language, adapter=self.adapter[:ID_LENGTH], **values)]
        if self.validation_loss is not None:
            told.append(text("review.loss_validation", language, loss=self.validation_loss))
        return " ".join(told)


@dataclass(frozen=True, slots=True)
class Training:
    """Where an adapter's training left its log."""

    adapter: str
    night: str
    validation_loss: float | None


def trainings_of(con: Connection, candidate: Promotion) -> tuple[Training, ...]:
    """The candidate's, then its champion's."""
    compared = [candidate.adapter] + [candidate.judged_against] * (candidate.judged_against != BASE)
    return tuple(Training(one, promotions_table.get(con, one).night, _validation_loss(con, one)) for one in compared)


def read_logs(b: Bonsai, trainings: Sequence[Training]) -> tuple[TrainingCurves, ...]:
    """Those whose logs are there; needs no database."""
    curves = [(one, read_curve(b.places.runs / one.night / LOG)) for one in trainings]
    return tuple(TrainingCurves(one.adapter, curve, one.validation_loss) for one, curve in curves if curve)


def _validation_loss(con: Connection, adapter: str) -> float | None:
    measured = adapters_table.get(con, adapter).passport.get("measured")
    found = measured.get("validation_loss") if isinstance(measured, Mapping) else None
    return float(found) if isinstance(found, int | float) else None
