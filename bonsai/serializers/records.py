"""Stored values -> the schemas that leave the program: the one place for `--json` and the REST API alike.

`bonsai.schemas` says what a thing looks like and knows no table; a function here fills one in, with reasons in words.
"""

from __future__ import annotations

from typing import Any

from bonsai.domain.reasons import Reason
from bonsai.domain.record_fields import EDITED, FIELDS, TAGS
from bonsai.domain.records import Reject
from bonsai.i18n import TextLanguage, text
from bonsai.queries.file_preview import FilePreview
from bonsai.queries.records import DecidedPair, RecordDetail, SubmissionStatus
from bonsai.queries.suggestions import Suggestion
from bonsai.queries.timeline import Entry
from bonsai.schemas import pairs, records, rejects, timeline, uploads
from bonsai.schemas.records import Followed, SuggestedTags
from storage.tables.record_rows import StoredRecord
from storage.tables.record_versions_table import Version, version_fields
from storage.tables.rejects_table import StoredReject
from storage.tables.settled_pairs_table import WaitingPair

OF_STORED = ("status", "near_of", "replaced_by", "created_at", "updated_at")


def record(stored: StoredRecord, language: TextLanguage) -> records.Record:
    """A record as it stands."""
    fields: dict[str, Any] = {one.name: getattr(stored.record, one.name) for one in FIELDS if one.kind != "tag"}
    fields |= {name: records.Tag.model_validate(getattr(stored.tags, name)) for name in TAGS}
    fields |= {name: getattr(stored, name) for name in OF_STORED}
    return records.Record(
        id=stored.record.id, origin=str(stored.record.origin), reason=reason(stored.reason, language), **fields
    )


def record_detail(found: RecordDetail, language: TextLanguage) -> records.RecordDetail:
    """The same with its past."""
    versions = [version(number, one) for number, one in enumerate(found.versions, 1)]
    return records.RecordDetail(
        **dict(record(found.stored, language)), versions=versions, adapters=list(found.adapters)
    )


def version(number: int, one: Version) -> records.Version:
    """What a record was before an edit; without texts when it was forgotten. `number` counts all of its versions."""
    said = version_fields(one) or dict.fromkeys(EDITED, "")
    return records.Version(number=number, **said, edited_at=one.edited_at, edited_by=one.edited_by)


def changed(stored: StoredRecord) -> records.Changed:
    """What a record is after a change."""
    return records.Changed(record=stored.record.id, status=stored.status)


def reason(found: Reason | Reject | None, language: TextLanguage) -> str:
    """Why a record has its status, or why something became no record; empty without a reason."""
    if found is None:
        return ""
    key = found.reason_key if isinstance(found, Reject) else found.key
    return text(key, language, **dict(found.values))


def rejected_line(stored: StoredReject, language: TextLanguage) -> rejects.RejectedLine:
    """A line that became no record."""
    reject = stored.reject
    return rejects.RejectedLine(
        id=stored.id,
        file=reject.file,
        line=reject.line,
        raw=reject.raw,
        cut=stored.is_cut,
        reason=reason(reject, language),
        columns=list(reject.table.columns) if reject.table else [],
        state=stored.state,
        created_at=stored.created_at,
    )


def pair(waiting: WaitingPair, language: TextLanguage) -> pairs.Pair:
    """A record that waits, and what it stands against."""
    others = [record(one, language) for one in waiting.others]
    return pairs.Pair(record=record(waiting.stored, language), others=others)


def decided_pair(found: DecidedPair) -> pairs.DecidedPair:
    """What somebody decided on a pair."""
    one = found.decision
    names = ("kept", "who", "at", "taken_back_by", "taken_back_at")
    fields = {name: getattr(one, name) for name in names}
    return pairs.DecidedPair(record=one.record_id, others=list(one.others), reopens=found.reopens, **fields)


def timeline_entry(one: Entry) -> timeline.TimelineEntry:
    """One thing that happened, and what was like it long before."""
    earlier = [
        timeline.Earlier(record=old.event.id, day=old.event.day, days=old.days, likeness=round(old.likeness, 3))
        for old in one.earlier
    ]
    fields = {name: getattr(one.event, name) for name in ("instruction", "output", "day", "dated")}
    return timeline.TimelineEntry(record=one.event.id, **fields, earlier=earlier)


def suggested_tags(found: Suggestion, language: TextLanguage) -> SuggestedTags:
    """Suggestions for a draft."""
    return SuggestedTags(
        language=records.Tag.model_validate(found.tags.language),
        category=records.Tag.model_validate(found.tags.category),
        likely=list(found.likely),
        exact=record(found.exact, language) if found.exact else None,
        contradicts=[record(one, language) for one in found.contradicts],
        near=[record(one, language) for one in found.near],
    )


def followed(found: SubmissionStatus, language: TextLanguage) -> Followed:
    """The status of a submission."""
    stored = found.stored
    detail = reason(found.reject or (stored.reason if stored else None), language)
    return Followed(
        submission=found.submission,
        state=found.state,
        record=stored.record.id if stored else None,
        status=stored.status if stored else None,
        detail=detail or None,
    )


def upload_check(found: FilePreview, language: TextLanguage) -> uploads.UploadCheck:
    """Result of checking a file."""
    return uploads.UploadCheck(
        **{name: getattr(found, name) for name in ("format", "encoding", "delimiter", "read", "rejected")},
        columns=[uploads.CheckedColumn.model_validate(one) for one in found.columns],
        rows=[uploads.CheckedRow.model_validate(one) for one in found.rows],
        wrong=[
            uploads.CheckedProblem(
                count=one.count,
                lines=list(one.lines),
                reason=text(one.reason_key, language, **dict(one.values)),
                raw=one.raw,
            )
            for one in found.wrong
        ],
    )
