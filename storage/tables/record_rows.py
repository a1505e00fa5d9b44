"""A stored record: the experience, its tags and its status; conversion from and to table rows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from bonsai.domain.reasons import Reason
from bonsai.domain.record_fields import EDITED, FIELDS, TAGS
from bonsai.domain.records import Category, Language, Origin, Record, Source, Status, Tag, Tags
from bonsai.system.files import sha256_json
from storage.sql import Row, from_utc, to_json

TEXT_COLUMNS = tuple(one.name for one in FIELDS if one.kind not in ("tag", "day"))
ETAG_DIGITS = 16
GIVEN = ("import", "person")
"Sources of given tags; the others are automatic."


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record to insert, tagged and judged."""

    record: Record
    tags: Tags
    question_language: str
    question_key: str
    "Normalised question and input; equal keys with different answers contradict each other."
    status: Status = Status.ACTIVE
    reason: Reason | None = None
    "Of a status other than active."
    near_of: str = ""
    "Id of its near duplicate."
    retires_item: str = ""
    "Id of the benchmark item that this record of the owner matches: the item retires from this home's gate."
    overrules: tuple[str, ...] = ()
    "Ids of records that this correction contradicts: they are held back."


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record in the database."""

    record: Record
    "Language, category and reasoning only where given by a file or a person; `tags` has all."
    tags: Tags
    question_language: str
    question_key: str
    status: Status
    reason: Reason | None
    near_of: str
    retires_item: str
    replaced_by: str
    "Id of the next version; empty for the newest."
    batch: str
    created_at: datetime
    updated_at: datetime

    @property
    def gone(self) -> bool:
        """Whether it was forgotten or replaced by an edit."""
        return self.status is Status.FORGOTTEN or bool(self.replaced_by)


def fields_of(stored: StoredRecord) -> dict[str, str]:
    """All editable fields, as text."""
    said = {name: getattr(stored.tags if name in TAGS else stored.record, name) for name in EDITED}
    return {name: value.value if isinstance(value, Tag) else str(value or "") for name, value in said.items()}


def etag(stored: StoredRecord) -> str:
    """Changes with every edit and only then; a night that marks the record suspect does not change it."""
    return sha256_json(fields_of(stored))[:ETAG_DIGITS]


def to_columns(records: Iterable[NewRecord], batch: str, at: datetime) -> dict[str, list[object]]:
    """Column name -> one value for each record. `at` is naive UTC."""
    made = [_row(new, batch, at) for new in records]
    return {name: [row[name] for row in made] for name in (made[0] if made else ())}


def _row(new: NewRecord, batch: str, at: datetime) -> Row:
    record = new.record
    return {
        "id": record.id,
        "batch": batch,
        **{name: getattr(record, name) for name in TEXT_COLUMNS},
        "happened_on": record.happened_on,
        "origin_name": record.origin.name,
        "origin_line": record.origin.line,
        **tag_columns("language", new.tags.language),
        **tag_columns("category", new.tags.category),
        **tag_columns("reasoning", new.tags.reasoning),
        "question_language": new.question_language,
        "question_key": new.question_key,
        "status": new.status.value,
        **reason_columns(new.reason),
        "near_of": new.near_of,
        "retires_item": new.retires_item,
        "replaced_by": "",
        "created_at": at,
        "updated_at": at,
    }


def tag_columns(name: str, tag: Tag) -> Row:
    """The four columns of one tag."""
    return {
        name: str(tag.value),
        f"{name}_source": tag.source,
        f"{name}_confidence": float(tag.confidence),
        f"{name}_version": tag.version,
    }


def reason_columns(reason: Reason | None) -> Row:
    """The two columns of a reason."""
    return {
        "reason_key": reason.key if reason else "",
        "reason_values": to_json(dict(reason.values)) if reason else "{}",
    }


def to_reason(row: Row) -> Reason | None:
    """The reason of a row with `reason_key` and `reason_values`."""
    if not row["reason_key"]:
        return None
    values = json.loads(row["reason_values"])
    return Reason(row["reason_key"], tuple((name, str(value)) for name, value in sorted(values.items())))


def to_stored(row: Row) -> StoredRecord:
    """A row of `records` as a StoredRecord."""
    tags = Tags(*(_tag(row, name) for name in TAGS))
    return StoredRecord(
        record=_record(row, tags),
        tags=tags,
        question_language=row["question_language"],
        question_key=row["question_key"],
        status=Status(row["status"]),
        reason=to_reason(row),
        near_of=row["near_of"],
        retires_item=row["retires_item"],
        replaced_by=row["replaced_by"],
        batch=row["batch"],
        created_at=from_utc(row["created_at"]),
        updated_at=from_utc(row["updated_at"]),
    )


def _record(row: Row, tags: Tags) -> Record:
    return Record(
        id=row["id"],
        instruction=row["instruction"],
        input=row["input"],
        output=row["output"],
        origin=Origin(row["origin_name"], row["origin_line"]),
        language=cast(Language, tags.language.value) if tags.language.source in GIVEN else None,
        category=Category(tags.category.value) if tags.category.source in GIVEN else None,
        reasoning=tags.reasoning.value if tags.reasoning.source in GIVEN else "",
        subject=row["subject"],
        happened_on=row["happened_on"],
        feeling=row["feeling"],
        source=cast(Source, row["source"]),
        source_name=row["source_name"],
        author=row["author"],
        fact=row["fact"],
    )


def _tag(row: Row, name: str) -> Tag:
    return Tag(row[name], row[f"{name}_source"], row[f"{name}_confidence"], row[f"{name}_version"])
