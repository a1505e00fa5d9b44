"""Settle rejects: repair and resubmit, or dismiss.

A repaired line goes through the reader that rejected it and, if accepted, into the inbox; only then is the reject
closed. A power cut in between leaves it open, and repairing again is idempotent: content ids make it one record.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime

from bonsai.context import Bonsai
from bonsai.domain.records import Defaults, Record, Reject
from bonsai.errors import UsageError
from bonsai.ingest.readers import read_again
from storage import inbox
from storage.tables import rejects_table
from storage.tables.rejects_table import StoredReject

FORM = "form"
"Origin of records typed into a form."
NOT_REPAIRABLE = ("id", "origin")
"Record fields that a submission does not have."


@dataclass(frozen=True, slots=True)
class RepairResult:
    """A reject that became records."""

    reject: str
    records: tuple[str, ...]
    "Their ids once the inbox is drained; one row may become several."


def repair_reject(b: Bonsai, reject: str, raw: str, by: str, now: datetime) -> RepairResult | Reject:
    """Parse the repaired text. If it is still invalid, returns the new reject and changes nothing.

    Raises UnknownId, and UsageError if the reject is already settled.
    """
    stored = open_reject(b, reject)
    defaults = stored.defaults or Defaults(source="self" if stored.reject.file == FORM else "import")
    parsed = read_again(raw.replace("\r\n", "\n"), stored.reject, defaults, b.config.records)
    records: list[Record] = []
    for one in parsed:
        if isinstance(one, Reject):
            return one
        records.append(one)
    for record in records:
        inbox.submit(b.places.inbox, _fields(record), now, record.origin)
    _settle(b, stored, "mended", by, "", now)
    return RepairResult(stored.id, tuple(record.id for record in records))


def dismiss_reject(b: Bonsai, reject: str, by: str, why: str, now: datetime) -> str:
    """Close a reject for good; returns its full id. Raises UnknownId, UsageError without a reason."""
    if not why.strip():
        raise UsageError("pipeline.dismissal_unexplained")
    stored = open_reject(b, reject)
    _settle(b, stored, "dismissed", by, why.strip(), now)
    return stored.id


def open_reject(b: Bonsai, reject: str) -> StoredReject:
    """By id or prefix. Raises UnknownId, and UsageError if it is already settled."""
    with b.database.reading() as con:
        stored = rejects_table.get(con, reject)
    if stored.state != "open":
        raise UsageError("pipeline.reject_settled", id=stored.id[:10], who=stored.settled_by or "-")
    return stored


def _settle(b: Bonsai, stored: StoredReject, state: rejects_table.Settled, by: str, why: str, now: datetime) -> None:
    with b.database.writing() as con:
        if not rejects_table.settle(con, stored.id, state, by, why, now):  # settled by somebody else meanwhile
            raise UsageError(
                "pipeline.reject_settled", id=stored.id[:10], who=rejects_table.get(con, stored.id).settled_by
            )


def _fields(record: Record) -> dict[str, str]:
    """Fields of a submission."""
    said = {name: value for name, value in asdict(record).items() if value and name not in NOT_REPAIRABLE}
    return {name: value.isoformat() if isinstance(value, date) else str(value) for name, value in said.items()}
