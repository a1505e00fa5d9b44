"""What changed in the data since the champion: counts by language and category, and the records themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from bonsai.context import Bonsai
from bonsai.errors import UsageError
from bonsai.queries.answers import promotion_of
from storage.tables import data_changes
from storage.tables.data_changes import KINDS, ChangedRecord, ChangeGroup

__all__ = ["KINDS", "ChangeGroup", "ChangedRecord", "DataChanges", "data_changes_of"]


@dataclass(frozen=True, slots=True)
class DataChanges:
    """How a candidate's records differ from its champion's."""

    adapter: str
    judged_against: str
    groups: tuple[ChangeGroup, ...]
    records: tuple[ChangedRecord, ...]
    "A page of them, the newest first."

    @property
    def counts(self) -> Mapping[str, int]:
        """How many changed in each way; kinds without any are 0."""
        found: Counter[str] = Counter()
        for group in self.groups:
            found[group.kind] += group.count
        return {kind: found[kind] for kind in KINDS}


def data_changes_of(b: Bonsai, promotion: str, limit: int, *, before: str = "", kind: str = "") -> DataChanges:
    """By adapter id or a beginning of one, the newest for an empty one; of the records `limit` of one kind, or of all.

    For the next page pass the last record's id as `before`. Raises UnknownId, UsageError.
    """
    kinds = [one for one in KINDS if kind in ("", one)]
    if not kinds:
        raise UsageError("review.unknown_filter", name="kind", value=kind, valid=", ".join(KINDS))
    with b.database.reading() as con:
        found = promotion_of(con, promotion)
        with data_changes.looked_at(con, b.places.snapshots, found.adapter, found.judged_against):
            groups = tuple(data_changes.groups(con))
            records = tuple(data_changes.page(con, limit=limit, before=before, kinds=kinds))
    return DataChanges(found.adapter, found.judged_against, groups, records)
