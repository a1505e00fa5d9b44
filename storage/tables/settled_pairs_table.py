"""The table `settled_pairs`: decisions on records that contradict or nearly repeat each other.

One row for each opposing record. Rows are never deleted: a decision that was taken back names who did. Each keeps the
records' status before and after, so that taking it back restores only records unchanged since.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bonsai.domain.reasons import Reason
from bonsai.domain.records import Keep, Status
from storage.connect import Connection
from storage.sql import Row, from_utc, rows, to_json, to_utc
from storage.tables.record_rows import StoredRecord, reason_columns, to_reason


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
