"""Status of submissions: waiting, stored, rejected or gone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from bonsai.context import Bonsai
from bonsai.domain.records import Defaults, Record, Reject, parse
from bonsai.errors import InputError, LockTimeout
from storage import inbox
from storage.inbox import InboxItem
from storage.tables import records_table
from storage.tables.record_rows import StoredRecord

LOCK_WAIT_SECONDS = 0.3
"Wait for the database at most this long: someone who submits several in a row must not wait for the last one."
State = Literal["waiting", "stored", "told_before", "rejected", "gone", "unreadable"]


@dataclass(frozen=True, slots=True)
class SubmissionStatus:
    """A submission of one record and its status."""

    submission: str
    state: State
    "`gone`: no such submission, or erased because its record was forgotten."
    question: str = ""
    stored: StoredRecord | None = None
    reject: Reject | None = None


def submission_status(b: Bonsai, submissions: Sequence[str]) -> list[SubmissionStatus]:
    """Status of each, in order. While the database is busy, all that are not filed away count as waiting."""
    found = [(one, inbox.find(b.places.inbox, one)) for one in submissions]
    made = {one: _made(b, item) for one, item in found if item}
    ids = [one.id for one in made.values() if isinstance(one, Record)]
    stored = {}
    if ids:
        hasty = replace(b.database, lock_wait_seconds=LOCK_WAIT_SECONDS)
        with suppress(LockTimeout), hasty.reading() as con:
            stored = {one.record.id: one for one in records_table.get_many(con, ids)}
    return [_status(one, item, made.get(one), stored) for one, item in found]


def _made(b: Bonsai, item: InboxItem) -> Record | Reject | None:
    try:
        fields, origin = inbox.fields_of(item), inbox.origin_of(item)
    except (InputError, FileNotFoundError):  # damaged, or filed away just now
        return None
    return parse(fields, origin, Defaults(source="self"), b.config.records)


def _status(
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
    """Time of submission, from its id; None if the id holds no time."""
    with suppress(ValueError):
        return datetime.strptime(submission.partition("Z")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    return None
