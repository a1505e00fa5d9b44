"""Values -> what programs are answered about records, wherever one is shown."""

from __future__ import annotations

from typing import Any

from bonsai.actions import edit
from bonsai.schemas import records
from bonsai.web.api.request import Call
from storage.tables.record_rows import TAG_NAMES, StoredRecord
from storage.tables.record_versions_table import Version

OF_RECORD = (
    *("id", "instruction", "output", "input", "subject", "happened_on", "feeling", "fact"),
    *("source", "source_name", "author"),
)
OF_STORED = ("status", "near_of", "replaced_by", "created_at", "updated_at")


def record_of(call: Call, stored: StoredRecord) -> records.Record:
    """A record as it stands."""
    return records.Record(**fields_of(call, stored))


def fields_of(call: Call, stored: StoredRecord) -> dict[str, Any]:
    """Its fields, for what says more of it too."""
    record = stored.record
    return {
        **{name: getattr(record, name) for name in OF_RECORD},
        **{name: records.Tag.model_validate(getattr(stored.tags, name)) for name in TAG_NAMES},
        **{name: getattr(stored, name) for name in OF_STORED},
        "origin": f"{record.origin.name}:{record.origin.line}" if record.origin.line else record.origin.name,
        "reason": call.text(stored.reason.key, **dict(stored.reason.values)) if stored.reason else "",
    }


def version_of(number: int, one: Version) -> records.Version:
    """What a record was before an edit; without texts when it was forgotten. `number` counts all of its versions."""
    said = edit.version_fields(one) or dict.fromkeys(edit.EDITABLE, "")
    return records.Version(number=number, **said, edited_at=one.edited_at, edited_by=one.edited_by)


def etag_of(stored: StoredRecord) -> str:
    """Another one after every edit."""
    return f'"{edit.etag(stored)}"'
