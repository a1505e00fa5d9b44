"""Records that wait for a person's word, each beside the one that it contradicts or repeats.

Which one that is stands with the record: in the values of the reason for which it is held back, as the beginnings of
ids, or in `near_of`. A near duplicate that was decided on waits no more: `storage.tables.settled_pairs_table`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from bonsai.domain.records import Status
from storage.connect import Connection
from storage.sql import rows
from storage.tables import records_table
from storage.tables.record_rows import StoredRecord, to_stored

Kind = Literal["contradiction", "overruled", "leak", "suspect", "near"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_NEAR = "near_of <> '' AND status = 'active' AND replaced_by = ''"
_WAITING: Mapping[Kind, str] = {
    "contradiction": "status = 'held_back' AND reason_key = 'duplicates.contradiction'",
    "overruled": "status = 'held_back' AND reason_key = 'duplicates.overruled'",
    "leak": "status = 'held_back' AND reason_key NOT IN ('duplicates.contradiction', 'duplicates.overruled')",
    "suspect": "status = 'suspect'",
    "near": f"""
        {_NEAR}
        AND NOT EXISTS (FROM settled_pairs settled WHERE settled.sequence = records.sequence AND taken_back_at IS NULL)
    """,
}
_NAMED_BY: Mapping[str, str] = {"duplicates.contradiction": "records", "duplicates.overruled": "id"}
"Reason -> the value that names the other records by the beginnings of their ids; their whole ids are `ids`."
_PREFIX = 12
"Characters of the ids in a reason."


@dataclass(frozen=True, slots=True)
class WaitingPair:
    """A record that waits, and the newest versions of those that it contradicts or repeats."""

    stored: StoredRecord
    kind: Kind
    others: tuple[StoredRecord, ...]
    "Without those that were forgotten."


def counts(con: Connection) -> dict[Kind, int]:
    """How many wait for which reason: by the counters, but for those that nearly repeat another."""
    counted = (kind for kind in KINDS if kind != "near")
    columns = ", ".join(f"coalesce(sum(number) FILTER ({_WAITING[kind]}), 0) AS {kind}" for kind in counted)
    near = f"SELECT count(*) FROM records WHERE {_NEAR}"  # all, less the settled ones: quicker than to ask for each
    settled = f"{near} AND sequence IN (SELECT sequence FROM settled_pairs WHERE taken_back_at IS NULL)"
    (found,) = rows(con, f"SELECT {columns}, ({near}) - ({settled}) AS near FROM record_counts")
    return {kind: int(found[kind]) for kind in KINDS}


def page(con: Connection, kind: Kind, limit: int, before: str = "") -> list[WaitingPair]:
    """The newest first; for the next page pass the last one's id as `before`."""
    later = "AND sequence < (SELECT sequence FROM records WHERE id = $before)" if before else ""
    chosen = f"SELECT rowid FROM records WHERE {_WAITING[kind]} {later} ORDER BY sequence DESC LIMIT {int(limit)}"
    query = f"FROM records WHERE rowid IN ({chosen}) ORDER BY sequence DESC"
    found = [to_stored(row) for row in rows(con, query, {"before": before} if before else {})]
    others = _others(con, found)
    return [WaitingPair(one, kind, others[one.record.id]) for one in found]


def waiting(con: Connection, record_id: str) -> WaitingPair | None:
    """One record with what it waits for; None when nobody need decide on it. Raises UnknownId."""
    stored = records_table.get(con, record_id)
    for kind, condition in _WAITING.items():
        if rows(con, f"SELECT id FROM records WHERE id = $id AND {condition}", {"id": stored.record.id}):
            return WaitingPair(stored, kind, _others(con, [stored])[stored.record.id])
    return None


def _others(con: Connection, found: list[StoredRecord]) -> dict[str, tuple[StoredRecord, ...]]:
    """By record id: what it contradicts or repeats, followed to its newest version, in the order of the reason."""
    named = {one.record.id: _named(one) for one in found}
    met = _met(con, found)
    made: dict[str, tuple[StoredRecord, ...]] = {}
    for record_id, prefixes in named.items():
        others = (met.get(prefix[:_PREFIX]) for prefix in prefixes)
        newest = {one.record.id: one for one in others if one and one.record.instruction}
        newest.pop(record_id, None)
        made[record_id] = tuple(newest.values())
    return made


def _named(stored: StoredRecord) -> list[str]:
    """Ids or their beginnings."""
    if stored.status is Status.HELD_BACK and stored.reason and stored.reason.key in _NAMED_BY:
        said = {name: str(value) for name, value in stored.reason.values}
        return said["ids"].split() if "ids" in said else said.get(_NAMED_BY[stored.reason.key], "").split(", ")
    return [stored.near_of] if stored.near_of and stored.status is Status.ACTIVE else []


def _met(con: Connection, found: list[StoredRecord]) -> dict[str, StoredRecord]:
    """Beginning of an id -> the newest version of that record.

    What contradicts a record asks the very same: without its whole id it is found by that, which reads every question.
    """
    named = {name for one in found for name in _named(one)}
    short = [one for one in found if any(len(name) <= _PREFIX for name in _named(one))]  # written by an older Bonsai
    same = _in(con, "question_key", {one.question_key for one in short})
    met = {one.record.id[:_PREFIX]: one for one in (*same, *_in(con, "id", named))}
    while replaced := {one.replaced_by for one in met.values() if one.replaced_by}:
        newer = {one.record.id: one for one in _in(con, "id", replaced)}
        met = {prefix: newer.get(one.replaced_by, one) if one.replaced_by else one for prefix, one in met.items()}
        if not newer:
            break
    return met


def _in(con: Connection, column: str, values: set[str]) -> list[StoredRecord]:
    """Records whose column has one of a few values.

    Named one by one, ids are found by their index; and whole rows are read of those alone that were found.
    """
    given = {f"value{number}": value for number, value in enumerate(sorted(values)) if value}
    if not given:
        return []
    listed = ", ".join(f"${name}" for name in given)
    chosen = f"SELECT rowid FROM records WHERE {column} IN ({listed})"
    return [to_stored(row) for row in rows(con, f"FROM records WHERE rowid IN ({chosen})", given)]
