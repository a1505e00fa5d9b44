"""Changes in the training data since the champion: counts, and the records themselves."""

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
        with data_changes.looked_at(con, b.places.snapshots, found.adapter, found.judged_against):
            groups = tuple(data_changes.groups(con))
            records = tuple(data_changes.page(con, limit=limit, before=before, kinds=kinds))
    return DataChanges(found.adapter, found.judged_against, groups, records)
