"""Change a record, or go back to what it was; whoever changes it meanwhile is not overwritten.

    fields = fields_of(stored)                                  # what a form begins with
    new_id = edit_record(b, stored.record.id, changes, "mika", now, seen=stamp(stored))

Optimistic concurrency (Kung and Robinson 1981): nothing is locked while a person writes. `stamp` is a hash of all that
can be edited; when it is another one by the time of saving, the edit is refused and both texts are still there.
Other texts are judged like a new record's, but only against those that ask the same or nearly the same: a page cannot
wait until all records are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast, get_args

from bonsai.actions.personal_set import retire_asked
from bonsai.actions.screening import screener_of_neighbours
from bonsai.context import Bonsai
from bonsai.domain.records import Defaults, Language, Limits, Origin, Record, Reject, Tag, Tags, parse
from bonsai.errors import ConflictError, UnknownId, UsageError
from bonsai.i18n import text
from bonsai.ingest.tags import merging
from bonsai.ingest.tags.reasoning import reasoning_tag
from bonsai.system.files import sha256_json
from storage.connect import Connection
from storage.tables import record_versions_table, records_table
from storage.tables.record_rows import NewRecord, StoredRecord
from storage.tables.record_versions_table import TagName, Version, person_tag

TEXTS = ("instruction", "input", "output")
NOTES = ("subject", "happened_on", "feeling")
TAGS: tuple[TagName, ...] = ("language", "category")
EDITABLE = (*TEXTS, *NOTES, *TAGS)
ETAG = 16
"Hex digits of a stamp."
NEIGHBOURS = 200
"Records with the question's rarest words, with which other texts are compared."


def fields_of(stored: StoredRecord) -> dict[str, str]:
    """All that can be edited, as text."""
    said = {name: getattr(stored.record, name) for name in (*TEXTS, *NOTES)}
    return {name: str(value or "") for name, value in said.items()} | {
        name: getattr(stored.tags, name).value for name in TAGS
    }


def version_fields(version: Version) -> dict[str, str]:
    """The same of an earlier version; empty for one that was forgotten."""
    return {name: str(version.content.get(name) or "") for name in EDITABLE} if version.content else {}


def etag(stored: StoredRecord) -> str:
    """Another one after every edit, and only then: a night that suspects the record changes nothing that is edited."""
    return sha256_json(fields_of(stored))[:ETAG]


def edit_record(b: Bonsai, record_id: str, changes: Mapping[str, str], by: str, now: datetime, seen: str = "") -> str:
    """Change what `EDITABLE` names; the id of what the record is now. The old version is kept; no change keeps none.

    `seen` is the stamp of what the person had before them. Raises UnknownId; ConflictError when it is another one now;
    UsageError for texts that make no record or another record's, a tag that there is not, a record that is forgotten.
    """
    old = _seen(b, record_id, seen)
    given = {name: person_tag(name, changes[name], by) for name in TAGS if _other_tag(old, name, changes)}
    return _save(b, old, changes, given, by, now)


def restore_version(b: Bonsai, record_id: str, number: int, by: str, now: datetime, seen: str = "") -> str:
    """Make a record what it was in version `number` (1 is the oldest, as `views.show_record` lists them), tags too.

    Raises as `edit_record` does, and UsageError for a version that there is not.
    """
    with b.database.reading() as con:
        found = record_versions_table.versions(con, records_table.resolve(con, record_id))
    if not 1 <= number <= len(found) or not found[number - 1].content:
        raise UsageError("curating.no_version", number=number, count=len(found))
    old, version = _seen(b, record_id, seen), found[number - 1]
    said = version_fields(version)
    before = record_versions_table.tags_of(version)
    given = {name: tag for name, tag in before.items() if tag != getattr(old.tags, name)}
    return _save(b, old, {name: said[name] for name in (*TEXTS, *NOTES)}, given, by, now)


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
    new = _as_it_was(old, record) if record.id == old.record.id else _judged(b, old, record)
    new = replace(new, tags=with_given(new.tags, given, new.question_language))
    with b.database.writing() as con:
        if etag(records_table.get(con, old.record.id)) != etag(old):
            raise ConflictError("curating.edited_meanwhile", id=old.record.id[:12])
        return record_versions_table.edit(con, old.record.id, new, by, now, given).record.id


def with_given(known: Tags, given: Mapping[TagName, Tag], asked_in: str) -> Tags:
    """Tags with those that a person gives; a reasoning that Bonsai wrote itself follows the language."""
    made = Tags(*(given.get(name, getattr(known, name)) for name in get_args(TagName)))
    if "language" in given and "reasoning" not in given and known.reasoning.source in ("rule", "learned"):
        asked, answered = cast("Language", asked_in), cast("Language", made.language.value)
        made = replace(made, reasoning=reasoning_tag(asked, answered))
    return made


def _seen(b: Bonsai, record_id: str, seen: str) -> StoredRecord:
    """The record, if it is still what the person had before them."""
    with b.database.reading() as con:
        old = records_table.get(con, record_id)
    if seen and (old.gone or seen != etag(old)):
        raise ConflictError("curating.edited_meanwhile", id=old.record.id[:12])
    record_versions_table.require_newest(old)
    return old


def _parsed(b: Bonsai, old: StoredRecord, changes: Mapping[str, str]) -> Record:
    """The record with its changes, normalised and checked. Raises UsageError."""
    known = fields_of(old)
    fields = {name: changes.get(name, known[name]) for name in (*TEXTS, *NOTES)}
    parsed = parse(fields, Origin("edit"), Defaults(), Limits(**b.config.records.model_dump()))
    if isinstance(parsed, Reject):
        raise UsageError("pipeline.edit_refused", reason=text(parsed.reason_key, **dict(parsed.values)))
    changed = {name: getattr(parsed, name) for name in (*TEXTS, *NOTES) if fields[name] != known[name]}
    return replace(old.record, id=parsed.id if changed.keys() & set(TEXTS) else old.record.id, **changed)


def _other_tag(old: StoredRecord, name: TagName, changes: Mapping[str, str]) -> bool:
    """An empty tag says nothing; the one that stands there already is no change."""
    assert name in get_args(TagName)
    return changes.get(name, "") not in ("", getattr(old.tags, name).value)


def _as_it_was(old: StoredRecord, record: Record) -> NewRecord:
    """The same texts: nothing to judge anew."""
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


def _judged(b: Bonsai, old: StoredRecord, record: Record) -> NewRecord:
    """Other texts, judged like a new record; tags that a person or a file gave are kept. Raises UsageError."""
    with b.database.reading() as con:
        if _is_there(con, record.id):
            raise UsageError("pipeline.edit_repeats", id=record.id[:12])
    judge = screener_of_neighbours(b, [record], but=(old.record.id, record.id))
    (made,), _ = judge.judge([record], "import")
    return replace(made, tags=merging.merge_tags(old.tags, made.tags))


def _is_there(con: Connection, record_id: str) -> bool:
    """An earlier version is not: an edit may go back to it."""
    try:
        return not records_table.get(con, record_id).replaced_by
    except UnknownId:
        return False


def release_records(b: Bonsai, ids: Sequence[str], by: str, now: datetime) -> tuple[str, ...]:
    """Let held-back, suspect or excluded records train; a question of the owner's suite that one asks retires."""
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
