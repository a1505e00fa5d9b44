"""Subjects, and what happened to one of them."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from bonsai.schemas.base import PageRequest, ResponseModel
from bonsai.schemas.records import Word

LONGEST_CURSOR = 12_000
"A name in base64, of which each character may be four bytes."


class SubjectPage(PageRequest):
    """A page of the list."""

    cursor: str | None = Field(
        None, pattern=rf"^[0-9]{{1,12}}\.[0-9A-Za-z_-]{{1,{LONGEST_CURSOR}}}$", description="api.field_cursor"
    )


class TimelinePage(PageRequest):
    """Whose timeline."""

    subject: Word = Field(description="api.field_subject")
    past: int | None = Field(None, ge=0, le=1_000_000_000, description="api.field_past")


class Subject(ResponseModel):
    """Somebody, or something, that records are about."""

    name: str = Field(description="api.field_subject_name")
    records: int = Field(description="api.field_subject_records")
    first: date = Field(description="api.field_subject_first")
    last: date = Field(description="api.field_subject_last")


class Subjects(ResponseModel):
    """A page of subjects, those with the most records first."""

    items: list[Subject] = Field(description="api.field_items")
    next_cursor: str | None = Field(description="api.field_next_cursor")


class Earlier(ResponseModel):
    """Something like it that happened long before."""

    record: str = Field(description="api.field_record")
    day: date = Field(description="api.field_earlier_day")
    days: int = Field(description="api.field_earlier_days")
    likeness: float = Field(description="api.field_likeness")


class TimelineEntry(ResponseModel):
    """One thing that happened."""

    record: str = Field(description="api.field_record")
    instruction: str = Field(description="api.field_instruction")
    output: str = Field(description="api.field_output")
    day: date = Field(description="api.field_entry_day")
    dated: bool = Field(description="api.field_entry_dated")
    earlier: list[Earlier] = Field(description="api.field_earlier")


class Timeline(ResponseModel):
    """A page of what happened to a subject, the latest first."""

    items: list[TimelineEntry] = Field(description="api.field_items")
    next_cursor: str | None = Field(description="api.field_next_cursor")
    unread: int | None = Field(description="api.field_unread")
