"""Rejected lines, settled by a person: mended and told again, or dismissed.

A mended line goes through the reader that refused it and, when that takes it, into the inbox; only then is the reject
closed. A power cut in between leaves it open, and mending it again changes nothing: content ids make it one record.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime

from bonsai.context import Bonsai
from bonsai.domain.records import RAW_CHARACTERS, Defaults, Limits, Record, Reject
from bonsai.errors import UsageError
from bonsai.ingest.readers import read_again
from storage import inbox
from storage.tables import rejects_table
from storage.tables.rejects_table import StoredReject

FORM = "form"
"The origin of what was told by hand."
NOT_REPAIRABLE = ("id", "origin")
"Fields of a record that a submission does not have."


@dataclass(frozen=True, slots=True)
class RepairResult:
    """A reject that became records."""

    reject: str
    records: tuple[str, ...]
    "Ids that they have once the inbox is drained; a mended row may have become several."


def repair_reject(b: Bonsai, reject: str, raw: str, by: str, now: datetime) -> RepairResult | Reject:
    """Read a reject's mended text; what is wrong with it still comes back as the new reject, and nothing changes.

    Raises UnknownId, and UsageError for one that is settled already.
    """
    stored = open_reject(b, reject)
    own = stored.told_as or Defaults(source="self" if stored.reject.file == FORM else "import")
    made = read_again(raw.replace("\r\n", "\n"), stored.reject, own, Limits(**b.config.records.model_dump()))
    told: list[Record] = []
    for one in made:
        if isinstance(one, Reject):
            return one
        told.append(one)
    for record in told:
        inbox.submit(b.places.inbox, _fields(record), now, record.origin)
    _settle(b, stored, "mended", by, "", now)
    return RepairResult(stored.id, tuple(record.id for record in told))


def dismiss_reject(b: Bonsai, reject: str, by: str, why: str, now: datetime) -> str:
    """Close a reject that shall never be a record; its full id. Raises UnknownId, UsageError without a reason."""
    if not why.strip():
        raise UsageError("pipeline.dismissal_unexplained")
    stored = open_reject(b, reject)
    _settle(b, stored, "dismissed", by, why.strip(), now)
    return stored.id


def open_reject(b: Bonsai, reject: str) -> StoredReject:
    """By id or the beginning of one. Raises UnknownId, and UsageError for one that is settled already."""
    with b.database.reading() as con:
        stored = rejects_table.get(con, reject)
    if stored.state != "open":
        raise UsageError("pipeline.reject_settled", id=stored.id[:10], who=stored.settled_by or "-")
    return stored


def is_cut(stored: StoredReject) -> bool:
    """Whether only the beginning of the text was kept: it can be read, but not be mended here."""
    return len(stored.reject.raw) >= RAW_CHARACTERS


def _settle(b: Bonsai, stored: StoredReject, state: rejects_table.Settled, by: str, why: str, now: datetime) -> None:
    with b.database.writing() as con:
        if not rejects_table.settle(con, stored.id, state, by, why, now):  # somebody else was faster
            raise UsageError(
                "pipeline.reject_settled", id=stored.id[:10], who=rejects_table.get(con, stored.id).settled_by
            )


def _fields(record: Record) -> dict[str, str]:
    """As a submission says them."""
    said = {name: value for name, value in asdict(record).items() if value and name not in NOT_REPAIRABLE}
    return {name: value.isoformat() if isinstance(value, date) else str(value) for name, value in said.items()}
