"""What changed in the data since the champion: counts by language and category, and the records themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bonsai.errors import UsageError
from bonsai.pipeline.compared import promotion_of
from bonsai.pipeline.parts import Bonsai
from storage import data_changes
from storage.data_changes import KINDS, Changed, Group, Kind

__all__ = ["KINDS", "Changed", "DataChanges", "Group", "Kind", "data_changes_of", "list_data_changes"]


@dataclass(frozen=True, slots=True)
class DataChanges:
    """How a candidate's records differ from its champion's."""

    adapter: str
    judged_against: str
    counts: Mapping[str, int]
    "By kind; those without any are 0."
    groups: tuple[Group, ...]


def data_changes_of(b: Bonsai, promotion: str) -> DataChanges:
    """By adapter id or a beginning of one. Raises UnknownId, UsageError."""
    with b.database.reading() as con:
        found = promotion_of(con, promotion)
        compared = b.places.snapshots, found.adapter, found.judged_against
        return DataChanges(
            found.adapter,
            found.judged_against,
            {str(kind): count for kind, count in data_changes.counts(con, *compared).items()},
            tuple(data_changes.groups(con, *compared)),
        )


def list_data_changes(b: Bonsai, promotion: str, limit: int, *, before: str = "", kind: str = "") -> list[Changed]:
    """The newest records that changed; for the next page pass the last one's id. Raises UnknownId, UsageError."""
    kinds: Sequence[Kind] = [one for one in KINDS if kind in ("", one)]
    if not kinds:
        raise UsageError("review.unknown_filter", name="kind", value=kind, valid=", ".join(KINDS))
    with b.database.reading() as con:
        found = promotion_of(con, promotion)
        compared = found.adapter, found.judged_against
        return data_changes.page(con, b.places.snapshots, *compared, limit=limit, before=before, kinds=kinds)
