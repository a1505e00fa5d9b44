"""What changed in the data since the champion: counts by language and category, and the records themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bonsai.errors import UsageError
from bonsai.pipeline.parts import Bonsai
from bonsai.pipeline.people import resolve_promotion
from storage import data_changes, promotions_table
from storage.data_changes import KINDS, Changed, Group, Kind

__all__ = ["KINDS", "Changed", "DataChanges", "Group", "Kind", "data_changes_of", "list_data_changes"]


@dataclass(frozen=True, slots=True)
class DataChanges:
    """How a candidate's records differ from its champion's."""

    adapter: str
    judged_against: str
    groups: tuple[Group, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many changed in each way; kinds without any are 0."""
        found: Counter[str] = Counter()
        for group in self.groups:
            found[group.kind] += group.count
        return {kind: found[kind] for kind in KINDS}


def data_changes_of(b: Bonsai, promotion: str) -> DataChanges:
    """By adapter id or a beginning of one. Raises UnknownId, UsageError."""
    with b.database.reading() as con:
        found = promotions_table.get(con, resolve_promotion(con, promotion))
        compared = found.adapter, found.judged_against
        return DataChanges(*compared, tuple(data_changes.groups(con, b.places.snapshots, *compared)))


def list_data_changes(b: Bonsai, promotion: str, limit: int, *, before: str = "", kind: str = "") -> list[Changed]:
    """The newest records that changed; for the next page pass the last one's id. Raises UnknownId, UsageError."""
    kinds: Sequence[Kind] = [one for one in KINDS if kind in ("", one)]
    if not kinds:
        raise UsageError("review.unknown_filter", name="kind", value=kind, valid=", ".join(KINDS))
    with b.database.reading() as con:
        found = promotions_table.get(con, resolve_promotion(con, promotion))
        compared = found.adapter, found.judged_against
        return data_changes.page(con, b.places.snapshots, *compared, limit=limit, before=before, kinds=kinds)
