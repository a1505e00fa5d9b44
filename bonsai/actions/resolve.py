"""Resolve pairs of contradicting or nearly repeating records: keep one, the others, or both.

    found = waiting_pairs(b, "contradiction", 10)[0]
    resolve_pair(b, found.stored.record.id, "this", "mika", now)        # it trains, the others do not
    reopen_pair(b, found.stored.record.id, "mika", now)                 # undo: it waits again

A record that is not kept is excluded with its text, and can be released later. A decision is refused if the texts
changed since they were shown, and an undo if a record's status changed since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bonsai.actions.personal_set import retire_asked
from bonsai.context import Bonsai
from bonsai.domain.reasons import Reason
from bonsai.domain.records import KEEPS, Keep, Status
from bonsai.errors import ConflictError, UsageError
from storage.connect import Connection
from storage.tables import record_versions_table, records_table, settled_pairs_table
from storage.tables.record_rows import StoredRecord
from storage.tables.settled_pairs_table import Change, WaitingPair, pair_status, waiting

EXCLUDABLE = (Status.ACTIVE, Status.HELD_BACK, Status.SUSPECT)
CORRECTABLE = ("contradiction", "overruled")


@dataclass(frozen=True, slots=True)
class PairResolution:
    """Result of a decision on a pair."""

    kept: tuple[str, ...]
    "Ids; these train."
    excluded: tuple[str, ...]


def resolve_pair(
    b: Bonsai, record_id: str, keep: str, by: str, now: datetime, seen: Sequence[str] | None = None
) -> PairResolution:
    """Keep `this` record, the `other` ones, or `both`. `seen`: ids of the others as shown to the person.

    If there are no others, `other` keeps this one from training. Raises UnknownId; UsageError for another word;
    ConflictError if there is nothing to decide any more or the others changed.
    """
    word = next((one for one in KEEPS if one == keep), None)
    if word is None:
        raise UsageError("cli.not_one_of", name="--keep", value=keep, valid=", ".join(KEEPS))
    with b.database.writing() as con:
        found = waiting(con, record_id)
        if found is None or (seen is not None and set(seen) != {one.record.id for one in found.others}):
            raise ConflictError("curating.decided_meanwhile", id=record_id[:12])
        return _resolve(con, found, word, by, now)


def _resolve(con: Connection, found: WaitingPair, keep: Keep, by: str, now: datetime) -> PairResolution:
    this, others = (found.stored,), found.others
    kept, dropped = {"this": (this, others), "other": (others, this), "both": ((*this, *others), ())}[keep]
    for one in kept:
        if one.status is not Status.ACTIVE:
            record_versions_table.release(con, one.record.id, by, now)
            retire_asked(con, one.record, by, now)
    reason = _reason(kept, by)
    excluded = [one.record.id for one in dropped]
    records_table.set_status(con, excluded, Status.EXCLUDED, reason, now, only=EXCLUDABLE)
    changed = _changed(con, (*this, *others))
    settled_pairs_table.settle(con, this[0].record.id, [one.record.id for one in others], keep, changed, by, now)
    return PairResolution(tuple(one.record.id for one in kept), tuple(excluded))


def _changed(con: Connection, seen: Sequence[StoredRecord]) -> list[Change]:
    """Records whose status changed since it was read."""
    now = {one.record.id: one for one in records_table.get_many(con, [one.record.id for one in seen])}
    made = (Change(one.record.id, pair_status(one), pair_status(now[one.record.id])) for one in seen)
    return [one for one in made if one.before != one.after]


def reopen_pair(b: Bonsai, record_id: str, by: str, now: datetime) -> tuple[str, ...]:
    """Undo the last decision on a record; returns the ids whose status was restored.

    An item of the personal set that retired with it stays retired: the record may have been trained on since. Raises
    UnknownId; ConflictError if nothing was decided or a record's status changed since.
    """
    with b.database.writing() as con:
        record = records_table.resolve(con, record_id)
        found = settled_pairs_table.newest_on(con, record)
        if found is None or found.changed is None:
            raise ConflictError("curating.not_decided", id=record[:12])
        stand = {one.record.id: one for one in records_table.get_many(con, [one.id for one in found.changed])}
        for one in found.changed:
            if one.id not in stand or stand[one.id].gone or pair_status(stand[one.id]) != one.after:
                raise ConflictError("curating.stands_otherwise", id=one.id[:12])
        for one in found.changed:
            _restore(con, one, by, now)
        settled_pairs_table.take_back(con, found, by, now)
        return tuple(one.id for one in found.changed)


def _restore(con: Connection, one: Change, by: str, now: datetime) -> None:
    """Restored records count as released, so that a night in between misses none of them."""
    if one.before.status is Status.ACTIVE:
        record_versions_table.release(con, one.id, by, now)
    else:
        records_table.set_status(con, [one.id], one.before.status, one.before.reason, now, only=(one.after.status,))


def _reason(kept: Sequence[StoredRecord], by: str) -> Reason:
    if not kept:
        return Reason("storage.excluded_by", (("who", by),))
    return Reason("duplicates.kept_other", (("id", kept[0].record.id[:12]), ("who", by)))


def confirm_corrections(con: Connection, ids: Sequence[str], now: datetime) -> int:
    """Release held-back records that a correction repeats word for word; hold back what contradicts them.

    Runs in the caller's transaction; returns the number released. Exclusions by a person stand.
    """
    released = 0
    for one in records_table.existing_ids(con, ids) if ids else ():
        found = waiting(con, one)
        if found is None or found.kind not in CORRECTABLE:
            continue
        reason = Reason("duplicates.corrected")
        records_table.set_status(con, [one], Status.ACTIVE, reason, now, only=(Status.HELD_BACK,))
        overruled = Reason("duplicates.overruled", (("id", one[:12]), ("ids", one)))
        others = [other.record.id for other in found.others]
        records_table.set_status(con, others, Status.HELD_BACK, overruled, now, only=(Status.ACTIVE,))
        released += 1
    return released
