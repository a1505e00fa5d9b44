"""The table `nights`: one row for each night; its key makes starting it idempotent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from bonsai.errors import UnknownId
from bonsai.system.locks import may_be_running
from storage.connect import Connection
from storage.sql import Row, from_utc, from_utc_or_none, full_id, rows, to_json, to_utc, values

NightStatus = Literal["running", "nothing_to_do", "done", "failed", "cancelled"]


class Start(StrEnum):
    """Whether a night may run."""

    BEGUN = "begun"
    TAKEN_OVER = "taken_over"
    "It died, failed or was cancelled; it runs again, and each step resumes."
    ALREADY_RUNNING = "already_running"
    ALREADY_FINISHED = "already_finished"

    @property
    def may_run(self) -> bool:
        """Whether the caller is to run the night."""
        return self in (Start.BEGUN, Start.TAKEN_OVER)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a night ended."""

    status: NightStatus
    verdict: str = ""
    "The gate's; empty when nothing was judged."
    reasons: Sequence[Mapping[str, object]] = ()
    "Key and values of each reason."
    snapshot_id: str = ""
    challenger: str = ""
    champion: str = ""
    "The champion before the night."
    report: Mapping[str, object] | None = None
    chain_head: str = ""
    "Head hash of the promotion log at the end of the night."


@dataclass(frozen=True, slots=True)
class Night:
    """One stored night."""

    key: str
    outcome: Outcome
    holder: str
    "`host:pid:start` of the process that ran it last."
    attempts: int
    started_at: datetime
    finished_at: datetime | None


def begin(con: Connection, key: str, holder: str, at: datetime) -> Start:
    """Claim a night for the process `holder` (`locks.process_name()`); see `.may_run`.

    A finished night stays finished. One that failed, was cancelled or lost its process is taken over.
    """
    found = rows(con, "SELECT status, holder FROM nights WHERE key = ?", [key])
    if not found:
        insert = "INSERT INTO nights VALUES (?, 'running', ?, 1, '', '[]', '', '', '', '{}', '', ?, NULL)"
        con.execute(insert, [key, holder, to_utc(at)])
        return Start.BEGUN
    if found[0]["status"] in ("done", "nothing_to_do"):
        return Start.ALREADY_FINISHED
    other = found[0]["holder"]
    if found[0]["status"] == "running" and other != holder and may_be_running(other):
        return Start.ALREADY_RUNNING
    con.execute(
        """
        UPDATE nights SET status = 'running', holder = ?, attempts = attempts + 1, started_at = ?, finished_at = NULL
        WHERE key = ?
        """,
        [holder, to_utc(at), key],
    )
    return Start.TAKEN_OVER


def describe(con: Connection, key: str, training: Mapping[str, object]) -> None:
    """Write what the night will train on into its report, which `finish` keeps. Raises UnknownId."""
    report = {**(get(con, key).outcome.report or {}), "training": dict(training)}
    con.execute("UPDATE nights SET report = ? WHERE key = ?", [to_json(report), key])


def finish(con: Connection, key: str, outcome: Outcome, at: datetime) -> None:
    """Write the night's outcome. Raises UnknownId."""
    report = get(con, key).outcome.report or {}
    con.execute(
        """
        UPDATE nights SET status = $status, verdict = $verdict, reasons = $reasons, snapshot_id = $snapshot,
            challenger = $challenger, champion = $champion, report = $report, chain_head = $head, finished_at = $at
        WHERE key = $key
        """,
        {
            "status": outcome.status,
            "verdict": outcome.verdict,
            "reasons": to_json([dict(reason) for reason in outcome.reasons]),
            "snapshot": outcome.snapshot_id,
            "challenger": outcome.challenger,
            "champion": outcome.champion,
            "report": to_json({**report, **(outcome.report or {})}),
            "head": outcome.chain_head,
            "at": to_utc(at),
            "key": key,
        },
    )


def get(con: Connection, key: str) -> Night:
    """One night. Raises UnknownId."""
    found = rows(con, "FROM nights WHERE key = ?", [key])
    if not found:
        raise UnknownId("storage.unknown_night", id=key)
    return _night(found[0])


def resolve(con: Connection, prefix: str) -> str:
    """The full key of a night, by an unambiguous prefix. Raises UnknownId, UsageError."""
    return full_id(con, "nights", prefix, unknown="storage.unknown_night", column="key")


def list_nights(con: Connection, limit: int | None = None) -> list[Night]:
    """Nights, newest first."""
    page = "" if limit is None else f"LIMIT {int(limit)}"
    return [_night(row) for row in rows(con, f"FROM nights ORDER BY started_at DESC, key DESC {page}")]


def between(con: Connection, start: datetime, end: datetime) -> list[Night]:
    """Nights that began in [start, end), newest first."""
    query = "FROM nights WHERE started_at >= ? AND started_at < ? ORDER BY started_at DESC, key DESC"
    return [_night(row) for row in rows(con, query, [to_utc(start), to_utc(end)])]


def first(con: Connection) -> datetime | None:
    """Start of the first night."""
    return from_utc_or_none(values(con, "SELECT min(started_at) FROM nights")[0])


def latest_trained(con: Connection) -> Night | None:
    """The newest finished night that trained; new records are those outside its snapshot."""
    found = rows(con, "FROM nights WHERE status = 'done' AND challenger <> '' ORDER BY finished_at DESC LIMIT 1")
    return _night(found[0]) if found else None


def last_cold(con: Connection) -> datetime | None:
    """End of the newest cold night."""
    query = """
        SELECT nights.finished_at FROM nights JOIN adapters ON adapters.id = nights.challenger
        WHERE nights.status = 'done' AND adapters.parent = '' ORDER BY nights.finished_at DESC LIMIT 1
    """
    found = values(con, query)
    return from_utc(found[0]) if found else None


def _night(row: Row) -> Night:
    outcome = Outcome(
        row["status"],
        row["verdict"],
        tuple(json.loads(row["reasons"])),
        row["snapshot_id"],
        row["challenger"],
        row["champion"],
        json.loads(row["report"]),
        row["chain_head"],
    )
    return Night(
        row["key"],
        outcome,
        row["holder"],
        row["attempts"],
        from_utc(row["started_at"]),
        from_utc_or_none(row["finished_at"]),
    )
