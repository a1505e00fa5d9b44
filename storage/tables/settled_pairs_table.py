"""Pairs of records that contradict or nearly repeat each other: those that wait, and the table `settled_pairs`.

The others are named by id prefixes in the values of the record's reason, or by `near_of`. Near duplicates that were
decided on are in the table.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bonsai.domain.reasons import Reason
from bonsai.domain.records import PAIR_KINDS, Keep, PairKind, Status
from storage.connect import Connection
from storage.sql import Row, from_utc, rows, to_json, to_utc
from storage.tables import records_table
from storage.tables.record_rows import StoredRecord, reason_columns, to_reason, to_stored

_NEAR = "near_of <> '' AND status = 'active' AND replaced_by = ''"
_WAITING: Mapping[PairKind, str] = {
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
"Reason -> the value that holds the other records' id prefixes; newer reasons have full ids in `ids`."
_PREFIX = 12
"Length of the id prefixes in a reason."


@dataclass(frozen=True, slots=True)
class WaitingPair:
    """A waiting record and the newest versions of those that it contradicts or repeats."""

    stored: StoredRecord
    kind: PairKind
    others: tuple[StoredRecord, ...]
    "Without forgotten ones."


def counts(con: Connection) -> dict[PairKind, int]:
    """Number of waiting records of each kind, from the counters where they have it."""
    counted = (kind for kind in PAIR_KINDS if kind != "near")
    columns = ", ".join(f"coalesce(sum(number) FILTER ({_WAITING[kind]}), 0) AS {kind}" for kind in counted)
    near = f"SELECT count(*) FROM records WHERE {_NEAR}"  # all minus settled: faster than a test of each row
    settled = f"{near} AND sequence IN (SELECT sequence FROM settled_pairs WHERE taken_back_at IS NULL)"
    (found,) = rows(con, f"SELECT {columns}, ({near}) - ({settled}) AS near FROM record_counts")
    return {kind: int(found[kind]) for kind in PAIR_KINDS}


def page(con: Connection, kind: PairKind, limit: int, before: str = "") -> list[WaitingPair]:
    """One page, newest first; the cursor `before` is the last id of the page before."""
    later = "AND sequence < (SELECT sequence FROM records WHERE id = $before)" if before else ""
    chosen = f"SELECT rowid FROM records WHERE {_WAITING[kind]} {later} ORDER BY sequence DESC LIMIT {int(limit)}"
    query = f"FROM records WHERE rowid IN ({chosen}) ORDER BY sequence DESC"
    found = [to_stored(row) for row in rows(con, query, {"before": before} if before else {})]
    others = _others(con, found)
    return [WaitingPair(one, kind, others[one.record.id]) for one in found]


def waiting(con: Connection, record_id: str) -> WaitingPair | None:
    """One record with its others; None when it waits for no decision. Raises UnknownId."""
    stored = records_table.get(con, record_id)
    for kind, condition in _WAITING.items():
        if rows(con, f"SELECT id FROM records WHERE id = $id AND {condition}", {"id": stored.record.id}):
            return WaitingPair(stored, kind, _others(con, [stored])[stored.record.id])
    return None


def _others(con: Connection, found: list[StoredRecord]) -> dict[str, tuple[StoredRecord, ...]]:
    """Record id -> what it contradicts or repeats, in its newest version, in the reason's order."""
    named = {one.record.id: _other_ids(one) for one in found}
    by_prefix = _others_by_prefix(con, found)
    made: dict[str, tuple[StoredRecord, ...]] = {}
    for record_id, prefixes in named.items():
        others = (by_prefix.get(prefix[:_PREFIX]) for prefix in prefixes)
        newest = {one.record.id: one for one in others if one and one.record.instruction}
        newest.pop(record_id, None)
        made[record_id] = tuple(newest.values())
    return made


def _other_ids(stored: StoredRecord) -> list[str]:
    """Ids, or prefixes of ids, of the others."""
    if stored.status is Status.HELD_BACK and stored.reason and stored.reason.key in _NAMED_BY:
        values = {name: str(value) for name, value in stored.reason.values}
        return values["ids"].split() if "ids" in values else values.get(_NAMED_BY[stored.reason.key], "").split(", ")
    return [stored.near_of] if stored.near_of and stored.status is Status.ACTIVE else []


def _others_by_prefix(con: Connection, found: list[StoredRecord]) -> dict[str, StoredRecord]:
    """Id prefix -> the newest version of that record.

    Contradicting records share the question key: without a full id they are found by it, which scans that column.
    """
    named = {name for one in found for name in _other_ids(one)}
    short = [
        one for one in found if any(len(name) <= _PREFIX for name in _other_ids(one))
    ]  # written by an older Bonsai
    same = _in(con, "question_key", {one.question_key for one in short})
    by_prefix = {one.record.id[:_PREFIX]: one for one in (*same, *_in(con, "id", named))}
    while replaced := {one.replaced_by for one in by_prefix.values() if one.replaced_by}:
        newer = {one.record.id: one for one in _in(con, "id", replaced)}
        by_prefix = {
            prefix: newer.get(one.replaced_by, one) if one.replaced_by else one for prefix, one in by_prefix.items()
        }
        if not newer:
            break
    return by_prefix


def _in(con: Connection, column: str, values: set[str]) -> list[StoredRecord]:
    """Records whose column has one of a few values: listed one by one so that ids use their index."""
    given = {f"value{number}": value for number, value in enumerate(sorted(values)) if value}
    if not given:
        return []
    listed = ", ".join(f"${name}" for name in given)
    chosen = f"SELECT rowid FROM records WHERE {column} IN ({listed})"
    return [to_stored(row) for row in rows(con, f"FROM records WHERE rowid IN ({chosen})", given)]


@dataclass(frozen=True, slots=True)
class PairStatus:
    """A record's status and its reason."""

    status: Status
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Change:
    """What a decision did to one record."""

    id: str
    before: PairStatus
    after: PairStatus


@dataclass(frozen=True, slots=True)
class SettledPair:
    """One decision."""

    number: int
    "Ascending; the cursor of the next page."
    record_id: str
    "The record that was waiting."
    others: tuple[str, ...]
    kept: Keep
    who: str
    at: datetime
    changed: tuple[Change, ...] | None
    "None: decided with an older Bonsai, which did not store it."
    taken_back_by: str
    taken_back_at: datetime | None
    "None while it stands."


def pair_status(stored: StoredRecord) -> PairStatus:
    """A record's status and reason."""
    return PairStatus(stored.status, stored.reason)


def settle(
    con: Connection,
    record_id: str,
    others: Iterable[str],
    kept: Keep,
    changed: Sequence[Change],
    who: str,
    at: datetime,
) -> None:
    """Store a decision."""
    changes = to_json([{"id": one.id, "before": _to_json(one.before), "after": _to_json(one.after)} for one in changed])
    insert = """
        INSERT INTO settled_pairs (record_id, other_id, kept, decided_at, decided_by, changed, sequence)
        SELECT ?, ?, ?, ?, ?, ?, (SELECT sequence FROM records WHERE id = ?)
    """
    for other in [*others] or [""]:
        con.execute(insert, [record_id, other, kept, to_utc(at), who, changes, record_id])


def decisions(con: Connection, limit: int, before: int | None = None) -> list[SettledPair]:
    """One page, newest first; the cursor `before` is the last number of the page before."""
    return _decisions(con, "" if before is None else "HAVING number < $before", limit, {"before": before})


def newest_on(con: Connection, record_id: str) -> SettledPair | None:
    """The newest valid decision on a record."""
    found = _decisions(con, "HAVING record_id = $record AND taken_back_at IS NULL", 1, {"record": record_id})
    return found[0] if found else None


def take_back(con: Connection, decision: SettledPair, who: str, at: datetime) -> None:
    """Revoke a decision."""
    con.execute(
        "UPDATE settled_pairs SET taken_back_at = ?, taken_back_by = ? WHERE record_id = ? AND decided_at = ?",
        [to_utc(at), who, decision.record_id, to_utc(decision.at)],
    )


def _decisions(con: Connection, having: str, limit: int, given: Mapping[str, object]) -> list[SettledPair]:
    query = f"""
        SELECT max(rowid) AS number, record_id, list(other_id ORDER BY rowid) AS others, any_value(kept) AS kept,
               any_value(decided_by) AS who, decided_at, any_value(changed) AS changed,
               any_value(taken_back_by) AS taken_back_by, any_value(taken_back_at) AS taken_back_at
        FROM settled_pairs GROUP BY record_id, decided_at {having} ORDER BY number DESC LIMIT {int(limit)}
    """
    return [
        _decision(row) for row in rows(con, query, {name: value for name, value in given.items() if value is not None})
    ]


def _decision(row: Row) -> SettledPair:
    taken_back_at = row["taken_back_at"]
    return SettledPair(
        number=int(row["number"]),
        record_id=row["record_id"],
        others=tuple(one for one in row["others"] if one),
        kept=row["kept"],
        who=row["who"],
        at=from_utc(row["decided_at"]),
        changed=tuple(_change(one) for one in json.loads(row["changed"])) if row["changed"] else None,
        taken_back_by=row["taken_back_by"],
        taken_back_at=from_utc(taken_back_at) if taken_back_at else None,
    )


def _to_json(one: PairStatus) -> dict[str, object]:
    return {"status": one.status.value, **reason_columns(one.reason)}


def _change(content: Mapping[str, Any]) -> Change:
    return Change(
        content["id"],
        *(PairStatus(Status(one["status"]), to_reason(dict(one))) for one in (content["before"], content["after"])),
    )
