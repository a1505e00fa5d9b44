"""Pairs of contradicting or nearly repeating records: waiting ones, their counts, and past decisions."""

from __future__ import annotations

from dataclasses import dataclass

from bonsai.context import Bonsai
from bonsai.domain.records import PairKind
from storage.tables import pairs_table, records_table, settled_pairs_table
from storage.tables.pairs_table import WaitingPair
from storage.tables.record_rows import StoredRecord
from storage.tables.settled_pairs_table import SettledPair


def waiting_pairs(b: Bonsai, kind: PairKind, limit: int, before: str = "") -> list[WaitingPair]:
    """Records that wait for one reason, newest first. For the next page, pass the last id as `before`."""
    with b.database.reading() as con:
        return pairs_table.page(con, kind, limit, before)


def pair_counts(b: Bonsai) -> dict[PairKind, int]:
    """Number of waiting records per reason."""
    with b.database.reading() as con:
        return pairs_table.counts(con)


@dataclass(frozen=True, slots=True)
class DecidedPair:
    """A decision on a pair."""

    decision: SettledPair
    records: tuple[StoredRecord, ...]
    "The record that waited, then its counterparts, in their current state."

    @property
    def reopens(self) -> bool:
        """Whether it can be undone, as far as the decision itself says."""
        return self.decision.taken_back_at is None and self.decision.changed is not None


def decided_pairs(b: Bonsai, limit: int, before: int | None = None) -> list[DecidedPair]:
    """Newest first. For the next page, pass the last number as `before`."""
    with b.database.reading() as con:
        found = settled_pairs_table.decisions(con, limit, before)
        named = {one for decision in found for one in (decision.record_id, *decision.others)}
        there = {one.record.id: one for one in records_table.get_many(con, sorted(named))}
    return [
        DecidedPair(one, tuple(there[name] for name in (one.record_id, *one.others) if name in there)) for one in found
    ]
