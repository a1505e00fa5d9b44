"""Edit a record or restore an earlier version, without overwriting concurrent edits.

    fields = fields_of(stored)                                  # initial values of a form
    new_id = edit_record(b, stored.record.id, changes, "mika", now, seen=etag(stored))

Optimistic concurrency (Kung and Robinson 1981): nothing is locked while a person types. `etag` hashes everything
editable; if it differs on saving, the edit is refused and neither text is lost. Changed texts are judged like a new
record's, but only against similar questions: a page cannot wait until every record is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

from bonsai.actions.personal_set import retire_asked
from bonsai.actions.screening import screener_of_neighbours
from bonsai.context import Bonsai
from bonsai.domain.record_fields import EDITED, EDITED_TAGS, TAGS, TEXTS, TagName
from bonsai.domain.records import Defaults, Language, Origin, Record, Reject, Tag, Tags, parse
from bonsai.errors import ConflictError, UnknownId, UsageError
from bonsai.i18n import text
from bonsai.ingest import tags
from bonsai.ingest.tags import reasoning_tag
from storage.connect import Connection
from storage.tables import record_versions_table, records_table
from storage.tables.record_rows import NewRecord, StoredRecord, etag, fields_of
from storage.tables.record_versions_table import person_tag, version_fields

SAID = tuple(name for name in EDITED if name not in EDITED_TAGS)
"Editable fields that are not tags."
NEIGHBOURS = 200
"Records with the question's rarest words that a changed text is compared with."


def edit_record(b: Bonsai, record_id: str, changes: Mapping[str, str], by: str, now: datetime, seen: str = "") -> str:
    """Change fields that can be edited; returns the record's new id. The old version is kept, unless nothing changed.

    `seen` is the etag that the person edited. Raises UnknownId; ConflictError if the etag changed since; UsageError for
    an invalid record, another record's text, an unknown tag, or a forgotten record.
    """
    old = _require_current(b, record_id, seen)
    given = {name: person_tag(name, changes[name], by) for name in EDITED_TAGS if _changes_tag(old, name, changes)}
    return _save(b, old, changes, given, by, now)


def restore_version(b: Bonsai, record_id: str, number: int, by: str, now: datetime, seen: str = "") -> str:
    """Restore version `number` (1 is the oldest, as in `show_record`), tags included.

    Raises as `edit_record`, and UsageError if there is no such version.
    """
    with b.database.reading() as con:
        found = record_versions_table.versions(con, records_table.resolve(con, record_id))
    if not 1 <= number <= len(found) or not found[number - 1].content:
        raise UsageError("curating.no_version", number=number, count=len(found))
    old, version = _require_current(b, record_id, seen), found[number - 1]
    said = version_fields(version)
    before = record_versions_table.tags_of(version)
    given = {name: tag for name, tag in before.items() if tag != getattr(old.tags, name)}
    return _save(b, old, {name: said[name] for name in SAID}, given, by, now)


def _save(
    b: Bonsai,
    old: StoredRecord,
    changes: Mapping[str, str],
    given: Mapping[TagName, Tag],
    by: str,
    now: datetime,
) -> str:
    record = _parsed(b, old, changes)
    if record == old.record and not given:
        return old.record.id
    new = _unchanged(old, record) if record.id == old.record.id else _rescreened(b, old, record)
    new = replace(new, tags=merge_tags(new.tags, given, new.question_language))
    with b.database.writing() as con:
        if etag(records_table.get(con, old.record.id)) != etag(old):
            raise ConflictError("curating.edited_meanwhile", id=old.record.id[:12])
        return record_versions_table.edit(con, old.record.id, new, by, now, given).record.id


def merge_tags(known: Tags, given: Mapping[TagName, Tag], asked_in: str) -> Tags:
    """Merge tags given by a person; a generated reasoning follows the language."""
    made = Tags(*(given.get(name, getattr(known, name)) for name in TAGS))
    if "language" in given and "reasoning" not in given and known.reasoning.source in ("rule", "learned"):
        asked, answered = cast("Language", asked_in), cast("Language", made.language.value)
        made = replace(made, reasoning=reasoning_tag(asked, answered))
    return made


def _require_current(b: Bonsai, record_id: str, seen: str) -> StoredRecord:
    """The record, if its etag is still `seen`."""
    with b.database.reading() as con:
        old = records_table.get(con, record_id)
    if seen and (old.gone or seen != etag(old)):
        raise ConflictError("curating.edited_meanwhile", id=old.record.id[:12])
    record_versions_table.require_newest(old)
    return old


def _parsed(b: Bonsai, old: StoredRecord, changes: Mapping[str, str]) -> Record:
    """The record with changes applied, normalised and validated. Raises UsageError."""
    known = fields_of(old)
    fields = {name: changes.get(name, known[name]) for name in SAID}
    parsed = parse(fields, Origin("edit"), Defaults(), b.config.records)
    if isinstance(parsed, Reject):
        raise UsageError("pipeline.edit_refused", reason=text(parsed.reason_key, **dict(parsed.values)))
    changed = {name: getattr(parsed, name) for name in SAID if fields[name] != known[name]}
    return replace(old.record, id=parsed.id if changed.keys() & set(TEXTS) else old.record.id, **changed)


def _changes_tag(old: StoredRecord, name: TagName, changes: Mapping[str, str]) -> bool:
    """Whether a tag changes; an empty one leaves it as it is."""
    assert name in TAGS
    return changes.get(name, "") not in ("", getattr(old.tags, name).value)


def _unchanged(old: StoredRecord, record: Record) -> NewRecord:
    """Unchanged texts: nothing to judge again."""
    return NewRecord(
        record,
        old.tags,
        question_language=old.question_language,
        question_key=old.question_key,
        status=old.status,
        reason=old.reason,
        near_of=old.near_of,
        retires_item=old.retires_item,
    )


def _rescreened(b: Bonsai, old: StoredRecord, record: Record) -> NewRecord:
    """Judge changed texts like a new record; tags from a person or file are kept. Raises UsageError."""
    with b.database.reading() as con:
        if _is_there(con, record.id):
            raise UsageError("pipeline.edit_repeats", id=record.id[:12])
    judge = screener_of_neighbours(b, [record], but=(old.record.id, record.id))
    (made,), _ = judge.judge([record], "import")
    return replace(made, tags=tags.merge_tags(old.tags, made.tags))


def _is_there(con: Connection, record_id: str) -> bool:
    """Whether a current record has this id; an earlier version does not count: an edit may restore it."""
    try:
        return not records_table.get(con, record_id).replaced_by
    except UnknownId:
        return False


def release_records(b: Bonsai, ids: Sequence[str], by: str, now: datetime) -> tuple[str, ...]:
    """Let held-back, suspect or excluded records train; items of the personal set that ask the same retire."""
    with b.database.writing() as con:
        released = [record_versions_table.release(con, _full(con, one), by, now).record for one in ids]
        for record in released:
            retire_asked(con, record, by, now)
    return tuple(record.id for record in released)


def exclude_records(b: Bonsai, ids: Sequence[str], by: str, now: datetime) -> tuple[str, ...]:
    """Keep records out of training."""
    with b.database.writing() as con:
        return tuple(record_versions_table.exclude(con, _full(con, one), by, now).record.id for one in ids)


def _full(con: Connection, prefix: str) -> str:
    return records_table.resolve(con, prefix)
