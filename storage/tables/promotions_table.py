"""The tables `promotions`, `champion` and `promotion_log`: applies the moves of `bonsai.domain.promotion`.

Every function changes states, pointer, version and log together in the caller's transaction (`Database.writing`), so
a move is atomic.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bonsai.domain import promotion
from bonsai.domain.promotion import BASE, GATE, GENESIS, Candidate, LogEntry, Move, Pointer, State
from bonsai.errors import IntegrityError, UnknownId
from bonsai.gate.decision import Decision, Verdict, decision_from_json, decision_to_json
from storage.connect import Connection
from storage.sql import Row, from_utc, full_id, rows, to_json, to_utc, values

LOG_FIELDS = "number, decided_at, who, action, adapter, champion_before, champion_after, version, reason"


@dataclass(frozen=True, slots=True)
class Promotion:
    """One candidate and its state."""

    adapter: str
    night: str
    state: State
    judged_against: str
    "Adapter id of the champion that it was compared with, or `base`."
    stored_decision: Mapping[str, Any]
    "The gate's decision and its evidence as JSON values, parsed on use."
    created_at: datetime
    updated_at: datetime

    @property
    def decision(self) -> Decision:
        """The verdict with every rule."""
        return decision_from_json(self.stored_decision)

    @property
    def evidence(self) -> Mapping[str, Any]:
        """The hashes of what it rests on (`bonsai.night.evaluation_job.Evidence`); empty if not stored."""
        found: Mapping[str, Any] = self.stored_decision.get("evidence", {})
        return found

    @property
    def verdict(self) -> Verdict:
        """The verdict of the decision."""
        found: Verdict = self.stored_decision["verdict"]
        return found

    @property
    def candidate(self) -> Candidate:
        """The candidate as the promotion rules see it."""
        return Candidate(self.adapter, self.state, self.judged_against)


@dataclass(frozen=True, slots=True)
class Logged:
    """One log entry with its hash."""

    entry: LogEntry
    hash: str


def champion(con: Connection) -> Pointer:
    """The current champion."""
    row = rows(con, "FROM champion")[0]
    return Pointer(row["adapter"], row["version"])


def propose(
    con: Connection,
    adapter: str,
    night: str,
    judged_against: str,
    decision: Decision,
    evidence: Mapping[str, object],
    at: datetime,
) -> Promotion:
    """Insert a judged adapter as a candidate. Safe to repeat: a known one stays as it is."""
    con.execute(
        "INSERT OR IGNORE INTO promotions VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            adapter,
            night,
            promotion.first_state(decision.verdict).value,
            judged_against,
            to_json({**decision_to_json(decision), "evidence": dict(evidence)}),
            to_utc(at),
            to_utc(at),
        ],
    )
    return get(con, adapter)


def approve(con: Connection, adapter: str, who: str, reason: str, at: datetime) -> Pointer:
    """Make a candidate the champion; others judged against the former one become `superseded`.

    Safe to repeat: approving the champion changes nothing. Raises UnknownId; PromotionError when the candidate was
    judged against another champion, or the move is illegal.
    """
    before = champion(con)
    if before.adapter == adapter:
        return before
    candidate = get(con, adapter).candidate
    after = _apply(
        con, promotion.approve(candidate, before, who=who, at=at, reason=reason, last_number=_last_number(con))
    )
    for other in list_promotions(con):
        if other.adapter != adapter and promotion.settle(other.candidate, after) is not other.state:
            number = _last_number(con)
            _apply(con, promotion.supersede(other.candidate, after, who=GATE, at=at, last_number=number))
    return after


def reject(con: Connection, adapter: str, who: str, reason: str, at: datetime) -> Pointer:
    """Reject a candidate. Raises UnknownId, PromotionError."""
    candidate = get(con, adapter).candidate
    number = _last_number(con)
    return _apply(con, promotion.reject(candidate, champion(con), who=who, at=at, reason=reason, last_number=number))


def roll_back(con: Connection, who: str, reason: str, at: datetime) -> Pointer:
    """Make the champion's predecessor the champion again. Raises PromotionError when only the base is left."""
    pointer = champion(con)
    now = get(con, pointer.adapter).candidate if pointer.adapter != BASE else Candidate(BASE, State.REPLACED, BASE)
    before = get(con, now.judged_against).candidate if now.judged_against != BASE else None
    move = promotion.roll_back(now, pointer, before, who=who, at=at, reason=reason, last_number=_last_number(con))
    return _apply(con, move)


def restore(con: Connection, adapter: str, who: str, reason: str, at: datetime) -> Pointer:
    """Make a former champion the champion again. Raises UnknownId, PromotionError."""
    candidate = get(con, adapter).candidate
    number = _last_number(con)
    return _apply(con, promotion.restore(candidate, champion(con), who=who, at=at, reason=reason, last_number=number))


def find(con: Connection, adapter: str) -> Promotion | None:
    """One candidate; None for an adapter that was never judged."""
    found = rows(con, "FROM promotions WHERE adapter = ?", [adapter])
    return _promotion(found[0]) if found else None


def get(con: Connection, adapter: str) -> Promotion:
    """One candidate. Raises UnknownId."""
    found = find(con, adapter)
    if found is None:
        raise UnknownId("storage.unknown_promotion", id=adapter)
    return found


def resolve(con: Connection, prefix: str) -> Promotion:
    """By adapter id or an unambiguous prefix. Raises UnknownId, UsageError."""
    return get(con, full_id(con, "promotions", prefix, unknown="storage.unknown_promotion", column="adapter"))


def list_promotions(con: Connection, state: State | None = None) -> list[Promotion]:
    """Candidates in a state (None: in any), oldest first."""
    where = "WHERE state = $state" if state else ""
    query = f"FROM promotions {where} ORDER BY created_at, adapter"
    return [_promotion(row) for row in rows(con, query, {"state": state.value} if state else {})]


def newest_states(con: Connection, limit: int) -> dict[str, State]:
    """States of the newest candidates, newest first; without the gate's decision, which is long."""
    query = f"SELECT adapter, state FROM promotions ORDER BY created_at DESC, adapter LIMIT {int(limit)}"
    return {str(adapter): State(state) for adapter, state in con.execute(query).fetchall()}


def states_of(con: Connection, adapters: Collection[str]) -> dict[str, State]:
    """States of some candidates."""
    query = "SELECT adapter, state FROM promotions WHERE adapter IN (SELECT unnest(?))"
    return {str(adapter): State(state) for adapter, state in con.execute(query, [list(adapters)]).fetchall()}


def looks(con: Connection) -> list[bool]:
    """One entry for each night that was judged for progress, oldest first: whether the gate promoted.

    A night that made a known adapter again, which stays what it was, is one more look.
    """
    candidates = [one for one in list_promotions(con) if one.decision.judged_for_progress]
    repeated = con.execute("""
        SELECT finished_at FROM nights
        WHERE status = 'done' AND verdict NOT IN ('', 'invalid') AND key NOT IN (SELECT night FROM promotions)
    """).fetchall()
    found = [(one.created_at, one.verdict == "promote") for one in candidates]
    return [promoted for _, promoted in sorted(found + [(from_utc(at), False) for (at,) in repeated])]


def etag(con: Connection) -> str:
    """An etag that changes with every move, edit, forgotten record and change of the personal set."""
    query = """
        SELECT concat_ws(' ', (SELECT count(*) FROM promotions), (SELECT max(number) FROM promotion_log),
            (SELECT count(*) FROM record_versions), (SELECT count(*) FROM tombstones),
            (SELECT max(number) FROM suite_changes), (SELECT max(updated_at) FROM promotions))
    """
    return str(values(con, query)[0])


def log(con: Connection) -> list[Logged]:
    """The whole promotion log, oldest first."""
    found = con.execute(f"SELECT {LOG_FIELDS}, hash FROM promotion_log ORDER BY number").fetchall()
    return [Logged(LogEntry(row[0], from_utc(row[1]), *row[2:-1]), row[-1]) for row in found]


def head(con: Connection) -> str:
    """Hash of the newest entry; every night's report has it."""
    found = values(con, "SELECT hash FROM promotion_log ORDER BY number DESC LIMIT 1")
    return str(found[0]) if found else GENESIS


def verify(con: Connection) -> str:
    """Check the hash chain, the pointer, and every head that a night stored; returns the head hash.

    Raises IntegrityError for an altered, missing or truncated entry, or a pointer that differs from the log.
    """
    lines = log(con)
    top = promotion.verify_chain([(line.entry, line.hash) for line in lines])
    logged = Pointer(lines[-1].entry.champion_after, lines[-1].entry.version) if lines else Pointer(BASE, 0)
    pointers = [Pointer(row["adapter"], row["version"]) for row in rows(con, "FROM champion")]
    if pointers != [logged]:
        found = ", ".join(f"{pointer.adapter} ({pointer.version})" for pointer in pointers)
        raise IntegrityError("storage.pointer_differs", found=found, told=f"{logged.adapter} ({logged.version})")
    known = {GENESIS, ""} | {line.hash for line in lines}
    for night, written in con.execute("SELECT key, chain_head FROM nights ORDER BY started_at").fetchall():
        if written not in known:
            raise IntegrityError("storage.log_cut", night=night, head=written[:12])
    return top


def _apply(con: Connection, move: Move) -> Pointer:
    """Write a move: pointer, states and log line."""
    for adapter, state in move.states:
        update = "UPDATE promotions SET state = ?, updated_at = ? WHERE adapter = ?"
        con.execute(update, [state.value, to_utc(move.entry.at), adapter])
    con.execute(
        "UPDATE champion SET adapter = ?, version = ?, updated_at = ?",
        [move.pointer.adapter, move.pointer.version, to_utc(move.entry.at)],
    )
    entry = move.entry
    con.execute(
        "INSERT INTO promotion_log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            entry.number,
            to_utc(entry.at),
            entry.who,
            entry.action,
            entry.adapter,
            entry.champion_before,
            entry.champion_after,
            entry.version,
            entry.reason,
            promotion.chain_hash(head(con), entry),
        ],
    )
    return move.pointer


def _last_number(con: Connection) -> int:
    return int(values(con, "SELECT coalesce(max(number), 0) FROM promotion_log")[0])


def _promotion(row: Row) -> Promotion:
    return Promotion(
        row["adapter"],
        row["night"],
        State(row["state"]),
        row["judged_against"],
        json.loads(row["decision"]),
        from_utc(row["created_at"]),
        from_utc(row["updated_at"]),
    )
