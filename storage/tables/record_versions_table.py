"""The table `record_versions`, and the changes of a stored record: edit, tag, release, exclude, suspect.

An edit of the texts makes a new record, whose id is their hash; the old one is excluded and linked by `replaced_by`.
Any other edit keeps the id and saves the old row in `record_versions`.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bonsai.domain.reasons import Reason
from bonsai.domain.record_fields import EDITED, TAGS, TagName
from bonsai.domain.records import LANGUAGES, Category, Status, Tag, Tags
from bonsai.errors import ConflictError, UsageError
from storage.connect import Connection
from storage.scale.counters import RECORDS, counting
from storage.sql import Row, batch, changed, from_utc, rows, to_json, to_utc, values
from storage.tables import records_table, tombstones_table
from storage.tables.record_rows import NewRecord, StoredRecord, tag_columns, to_columns, to_stored

WEAKEST_FIRST = ("rule", "learned", "import", "person")
RELEASABLE = (Status.HELD_BACK, Status.SUSPECT, Status.EXCLUDED)
RELEASED = "storage.released_by"
TIME_COLUMNS = ("created_at", "updated_at", "happened_on")


@dataclass(frozen=True, slots=True)
class Version:
    """A record before one edit."""

    record_id: str
    number: int
    content: Mapping[str, object]
    "The row of `records` before the edit; times as ISO text."
    replaced_by: str
    "Id after the edit; equal to `record_id` when the texts did not change."
    edited_at: datetime
    edited_by: str


def version_fields(version: Version) -> dict[str, str]:
    """Editable fields of an earlier version; empty if it was forgotten."""
    return {name: str(version.content.get(name) or "") for name in EDITED} if version.content else {}


def edit(
    con: Connection, record_id: str, new: NewRecord, who: str, at: datetime, given: Container[str] = ()
) -> StoredRecord:
    """Replace the record `record_id` by `new`, which is parsed, tagged and judged like any new record.

    A person's tags stay, except those that `new` has from a person and those named in `given`.
    Raises UnknownId; UsageError when the record was forgotten or replaced, or the new texts were forgotten.
    """
    old = records_table.get(con, record_id)
    require_newest(old)
    _save_version(con, old.record.id, new.record.id, who, at)
    new = replace(new, tags=_with_personal_tags(new.tags, old.tags, given))
    if new.record.id == old.record.id:
        _overwrite(con, old, new, at)
    else:
        _replace(con, old, new, at)
    return records_table.get(con, new.record.id)


def versions(con: Connection, record_id: str) -> list[Version]:
    """All versions of a record, including those of the records that it replaced, oldest first."""
    query = "FROM record_versions WHERE record_id IN (SELECT unnest(?)) ORDER BY edited_at, number"
    return [
        Version(
            row["record_id"],
            row["number"],
            json.loads(row["content"]),
            row["replaced_by"],
            from_utc(row["edited_at"]),
            row["edited_by"],
        )
        for row in rows(con, query, [sorted(family(con, record_id))])
    ]


def family(con: Connection, record_id: str) -> frozenset[str]:
    """Ids of the record, its predecessors and its successors through edits."""
    query = """
        WITH RECURSIVE relatives (id) AS (
            SELECT CAST(? AS VARCHAR)
            UNION
            SELECT CASE WHEN link.record_id = relatives.id THEN link.replaced_by ELSE link.record_id END
            FROM relatives JOIN record_versions link ON relatives.id IN (link.record_id, link.replaced_by)
        )
        SELECT id FROM relatives
    """
    return frozenset(values(con, query, [record_id]))


def set_tag(con: Connection, record_id: str, name: TagName, value: str, who: str, at: datetime) -> StoredRecord:
    """Set a person's tag, which no automatic tag overwrites. Raises UnknownId; UsageError for an invalid value."""
    set_tags(con, record_id, {name: person_tag(name, value, who)}, who, at)
    return records_table.get(con, record_id)


def person_tag(name: TagName, value: str, who: str) -> Tag:
    """A value as a person's tag. Raises UsageError for an invalid value."""
    valid = {"language": LANGUAGES, "category": tuple(Category)}.get(name)
    if name not in TAGS or not value.strip() or (valid and value not in valid):
        raise UsageError("storage.bad_tag", name=name, value=value, valid=", ".join(valid or TAGS))
    return Tag(value, "person", 1.0, who)


def set_tags(con: Connection, record_id: str, tags: Mapping[TagName, Tag], who: str, at: datetime) -> int:
    """Overwrite tags; returns the number of the version with the old ones. Raises UnknownId, UsageError."""
    old = records_table.get(con, record_id)
    require_newest(old)
    number = _save_version(con, old.record.id, old.record.id, who, at)
    columns = {key: value for name, tag in tags.items() for key, value in tag_columns(name, tag).items()}
    _update(con, old.record.id, columns | {"updated_at": to_utc(at)})
    return number


def take_back_tags(con: Connection, record_id: str, number: int, who: str, at: datetime) -> StoredRecord:
    """Restore the tags of version `number`. Raises UnknownId; ConflictError when the record changed since."""
    old = records_table.get(con, record_id)
    kept = [one for one in versions(con, old.record.id) if one.record_id == old.record.id]
    if not kept or kept[-1].number != number or kept[-1].replaced_by != old.record.id or not kept[-1].content:
        raise ConflictError("storage.changed_since", id=old.record.id[:12])
    set_tags(con, old.record.id, tags_of(kept[-1]), who, at)
    return records_table.get(con, old.record.id)


def tags_of(version: Version) -> dict[TagName, Tag]:
    """The tags of a version. Raises KeyError for a forgotten one."""
    return {
        name: Tag(*(version.content[f"{name}{part}"] for part in ("", "_source", "_confidence", "_version")))  # type: ignore[arg-type]
        for name in TAGS
    }


def retag(con: Connection, found: Mapping[str, Tags], at: datetime) -> int:
    """Write a newer tagger's tags; tags of a stronger source stay. Returns how many tags were written."""
    written = 0
    for name in TAGS:
        new = {record_id: tag_columns(name, getattr(tags, name)) for record_id, tags in found.items()}
        columns = {key: [row[key] for row in new.values()] for key in tag_columns(name, Tag("", "rule", 0, ""))}
        assign = ", ".join(f"{key} = batch.{key}" for key in columns)
        with counting(con, RECORDS, new), batch(con, {"id": list(new), **columns}):
            written += changed(
                con,
                f"""
                UPDATE records SET {assign}, updated_at = $at FROM batch
                WHERE records.id = batch.id
                  AND list_position($order, records.{name}_source) <= list_position($order, batch.{name}_source)
                """,
                {"at": to_utc(at), "order": list(WEAKEST_FIRST)},
            )
    return written


def release(con: Connection, record_id: str, who: str, at: datetime) -> StoredRecord:
    """Release a held-back, suspect or excluded record for training. Raises UnknownId, UsageError."""
    return _change_status(con, record_id, Status.ACTIVE, RELEASED, RELEASABLE, who, at)


def released_since(con: Connection, moment: datetime) -> list[str]:
    """Ids of active records that a person released after `moment`, in order of arrival."""
    query = "FROM records WHERE status = 'active' AND reason_key = $key AND updated_at > $moment ORDER BY sequence"
    found = rows(con, query, {"key": RELEASED, "moment": to_utc(moment)})
    return [row["id"] for row in found if json.loads(row["reason_values"]).get("at", "") > to_utc(moment).isoformat()]


def exclude(con: Connection, record_id: str, who: str, at: datetime) -> StoredRecord:
    """Exclude a record from training. Raises UnknownId, UsageError."""
    allowed = (Status.ACTIVE, Status.HELD_BACK, Status.SUSPECT)
    return _change_status(con, record_id, Status.EXCLUDED, "storage.excluded_by", allowed, who, at)


def mark_suspects(con: Connection, ids: Iterable[str], night: str, at: datetime) -> int:
    """Mark the active ones among `ids` as suspect after a harmful night; returns how many. Safe to repeat."""
    reason = Reason("storage.suspect_since", (("night", night),))
    return records_table.set_status(con, ids, Status.SUSPECT, reason, at, only=(Status.ACTIVE,))


def _change_status(
    con: Connection, record_id: str, status: Status, key: str, allowed: tuple[Status, ...], who: str, at: datetime
) -> StoredRecord:
    old = records_table.get(con, record_id)
    require_newest(old)
    if old.status is not status:
        reason = Reason(key, (("who", who), ("at", to_utc(at).isoformat())))
        records_table.set_status(con, [old.record.id], status, reason, at, only=allowed)
    return records_table.get(con, old.record.id)


def require_newest(old: StoredRecord) -> None:
    """Raises UsageError for a record that was forgotten or replaced by an edit."""
    if old.status is Status.FORGOTTEN:
        raise UsageError("storage.record_forgotten", id=old.record.id[:12])
    if old.replaced_by:
        raise UsageError("storage.record_replaced", id=old.record.id[:12], newer=old.replaced_by[:12])


def _with_personal_tags(new: Tags, old: Tags, given: Container[str]) -> Tags:
    """Keep a person's old tags unless a person gives new ones."""
    chosen = (
        before if before.source == "person" and now.source != "person" and name not in given else now
        for name, now, before in ((name, getattr(new, name), getattr(old, name)) for name in TAGS)
    )
    return Tags(*chosen)


def _save_version(con: Connection, old_id: str, new_id: str, who: str, at: datetime) -> int:
    """Save the present row as a version; returns its number."""
    row = rows(con, "FROM records WHERE id = ?", [old_id])[0]
    content = {name: value.isoformat() if name in TIME_COLUMNS and value else value for name, value in row.items()}
    number = values(con, "SELECT count(*) + 1 FROM record_versions WHERE record_id = ?", [old_id])[0]
    con.execute(
        "INSERT INTO record_versions VALUES (?, ?, ?, ?, ?, ?)",
        [old_id, number, to_json(content), new_id, to_utc(at), who],
    )
    return int(number)


def _overwrite(con: Connection, old: StoredRecord, new: NewRecord, at: datetime) -> None:
    """Update everything but the texts."""
    columns = {name: column[0] for name, column in to_columns([new], old.batch, to_utc(at)).items()}
    for name in ("id", "created_at", "instruction", "input", "output"):
        del columns[name]
    _update(con, old.record.id, columns)


def _replace(con: Connection, old: StoredRecord, new: NewRecord, at: datetime) -> None:
    """Link to the record with the new texts, which may exist already (an edit back)."""
    if tombstones_table.known(con, [new.record.id]):
        raise UsageError("storage.record_forgotten", id=new.record.id[:12])
    if records_table.existing_ids(con, [new.record.id]):
        present = to_stored(rows(con, "FROM records WHERE id = ?", [new.record.id])[0])
        _overwrite(con, present, new, at)  # also clears its own `replaced_by`
    else:
        records_table.insert_records(con, [new], old.batch, at)
        _update(con, new.record.id, {"created_at": to_utc(old.created_at)})  # the event's own date of arrival
    reason = Reason("storage.replaced_by", (("id", new.record.id[:12]),))
    records_table.set_status(con, [old.record.id], Status.EXCLUDED, reason, at, only=tuple(Status))
    _update(con, old.record.id, {"replaced_by": new.record.id})


def _update(con: Connection, record_id: str, columns: Row) -> None:
    assign = ", ".join(f"{name} = ${name}" for name in columns)
    with counting(con, RECORDS, [record_id]):
        con.execute(f"UPDATE records SET {assign} WHERE id = $record_id", columns | {"record_id": record_id})
