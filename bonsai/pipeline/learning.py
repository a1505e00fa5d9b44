"""How a candidate learned: the loss of its training beside its champion's, from the logs that the trainings left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bonsai.pipeline.parts import Bonsai
from bonsai.promotion import BASE
from bonsai.training.curve import Curve, read_curve
from storage import adapters_table, promotions_table
from storage.connect import Connection

LOG = "log.txt"


@dataclass(frozen=True, slots=True)
class Learned:
    """One adapter's training."""

    adapter: str
    curve: Curve
    validation_loss: float | None
    "On the records that were held out, after the last step; None without any."


def learning(b: Bonsai, adapter: str) -> tuple[Learned, ...]:
    """The candidate's training, then its champion's; whichever left no log is not there. Raises UnknownId."""
    with b.database.reading() as con:
        candidate = promotions_table.get(con, adapter)
        champion = [candidate.judged_against] if candidate.judged_against != BASE else []
        nights = {one: promotions_table.get(con, one).night for one in (adapter, *champion)}
        measured = {one: _validation_loss(con, one) for one in nights}
    curves = {one: read_curve(b.places.runs / night / LOG) for one, night in nights.items()}
    return tuple(Learned(one, curve, measured[one]) for one, curve in curves.items() if curve)


def _validation_loss(con: Connection, adapter: str) -> float | None:
    measured = adapters_table.get(con, adapter).passport.get("measured")
    found = measured.get("validation_loss") if isinstance(measured, Mapping) else None
    return float(found) if isinstance(found, int | float) else None
