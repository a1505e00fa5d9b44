"""What became of what was told: from the submission in the inbox to the record, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from bonsai.context import Bonsai
from bonsai.domain.records import Defaults, Limits, Record, Reject, parse
from bonsai.errors import InputError, LockTimeout
from storage import inbox
from storage.inbox import InboxItem
from storage.tables import records_table
from storage.tables.record_rows import StoredRecord

PATIENCE_SECONDS = 0.3
"To wait for the database: who tells several in a row shall not wait for the last one."
State = Literal["waiting", "stored", "told_before", "rejected", "gone", "unreadable"]


@dataclass(frozen=True, slots=True)
class SubmissionStatus:
    """One submission of a record, and how far it is."""

    submission: str
    state: State
    "`gone`: there is no such submission, or it was erased because its record is forgotten."
    question: str = ""
    stored: StoredRecord | None = None
    reject: Reject | None = None


def submission_status(b: Bonsai, submissions: Sequence[str]) -> list[SubmissionStatus]:
    """How far each is, in order; while the database is busy, all that are not stored away count as waiting."""
    found = [(one, inbox.find(b.places.inbox, one)) for one in submissions]
    made = {one: _made(b, item) for one, item in found if item}
    ids = [one.id for one in made.values() if isinstance(one, Record)]
    stored = {}
    if ids:
        hasty = replace(b.database, lock_wait_seconds=PATIENCE_SECONDS)
        with suppress(LockTimeout), hasty.reading() as con:
            stored = {one.record.id: one for one in records_table.get_many(con, ids)}
    return [_followed(one, item, made.get(one), stored) for one, item in found]


def _made(b: Bonsai, item: InboxItem) -> Record | Reject | None:
    try:
        fields, origin = inbox.fields_of(item), inbox.origin_of(item)
    except (InputError, FileNotFoundError):  # damaged, or filed away in this very moment
        return None
    return parse(fields, origin, Defaults(source="self"), Limits(**b.config.records.model_dump()))


def _followed(
    submission: str, item: InboxItem | None, made: Record | Reject | None, stored: dict[str, StoredRecord]
) -> SubmissionStatus:
    if item is None:
        return SubmissionStatus(submission, "gone")
    if made is None:
        return SubmissionStatus(submission, "unreadable" if item.path.parent.name == "failed" else "waiting")
    if isinstance(made, Reject):
        waits = item.path.parent.name != "done"
        return SubmissionStatus(submission, "waiting" if waits else "rejected", reject=made)
    there = stored.get(made.id)
    if there is None or item.path.parent.name != "done":
        return SubmissionStatus(submission, "waiting", made.instruction)
    at = submitted_at(submission)
    earlier = at is not None and there.created_at < at
    return SubmissionStatus(submission, "told_before" if earlier else "stored", made.instruction, there)


def submitted_at(submission: str) -> datetime | None:
    """When it was told, by its id; None for an id that is no time."""
    with suppress(ValueError):
        return datetime.strptime(submission.partition("Z")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    return None
