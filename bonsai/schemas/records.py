"""Records, submissions and the requests about them."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from bonsai.domain.records import LIMITS, Category, Language, Source, Status
from bonsai.schemas.base import PageRequest, RequestModel, ResponseModel

SEEN = r"[^\s\u0000-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb]"
"A text with at least one visible character; `bonsai.domain.records.parse` decides."


def _words(longest: int, *, needed: bool = False) -> Any:
    """The JSON schema of a text of a record."""
    return WithJsonSchema({"type": "string", "maxLength": longest, **({"pattern": SEEN} if needed else {})})


Question = Annotated[str, _words(LIMITS.instruction_characters, needed=True)]
Answer = Annotated[str, _words(LIMITS.output_characters, needed=True)]
Passage = Annotated[str, _words(LIMITS.input_characters)]
Note = Annotated[str, _words(LIMITS.note_characters)]
Day = Annotated[
    str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$"), WithJsonSchema({"type": "string", "format": "date"})
]


def _no_text(value: object) -> object:
    """A quoted number is not a number; nor is true."""
    if isinstance(value, str | bool):
        raise ValueError(value)
    return value


def _no_number(value: object) -> object:
    """pydantic would take a number for seconds since 1970."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise ValueError(value)
    return value


Whole = Annotated[int, BeforeValidator(_no_text)]
"A whole number; 2.0 is one (JSON Schema, 6.1.1)."
Date = Annotated[date, BeforeValidator(_no_number)]
Word = Annotated[str, StringConstraints(max_length=LIMITS.note_characters)]
"A short text, such as a name."
Kind = Literal[
    "open_qa", "closed_qa", "classification", "translation", "brainstorming", "creative", "question_to_question"
]


class NewRecord(RequestModel):
    """A new record."""

    instruction: Question = Field(description="api.field_instruction")
    output: Answer = Field(description="api.field_output")
    input: Passage = Field("", description="api.field_input")
    subject: Note = Field("", description="api.field_subject")
    happened_on: Day | None = Field(None, description="api.field_happened_on")
    feeling: Note = Field("", description="api.field_feeling")
    language: Language | None = Field(None, description="api.field_new_language")
    category: Kind | None = Field(None, description="api.field_new_category")
    fact: Note = Field("", description="api.field_fact")
    source: Literal["self", "community"] = Field("self", description="api.field_source")
    source_name: Note = Field("", description="api.field_source_name")


class RecordPage(PageRequest):
    """Which records."""

    text: str = Field("", max_length=200, description="api.field_text")
    language: Language | None = Field(None, description="api.field_language")
    category: Category | None = Field(None, description="api.field_category")
    status: Status | None = Field(None, description="api.field_status")
    subject: Word = Field("", description="api.field_subject")
    source: Source | None = Field(None, description="api.field_source")
    author: Word = Field("", description="api.field_author")
    since: Date | None = Field(None, description="api.field_from_day")
    until: Date | None = Field(None, description="api.field_to_day")
    uncertain: bool = Field(False, description="api.field_only_uncertain")


class Counts(ResponseModel):
    """Counts of an import or a drain."""

    read: int = Field(description="api.field_counts_read")
    new: int = Field(description="api.field_counts_new")
    duplicate: int = Field(description="api.field_counts_duplicate")
    held_back: int = Field(description="api.field_counts_held_back")
    rejected: int = Field(description="api.field_counts_rejected")


class Drained(Counts):
    """Result of a drain."""

    files: int = Field(description="api.field_counts_files")


class Submission(ResponseModel):
    """A record that lies in the inbox, safely on the disk."""

    submission: str = Field(description="api.field_submission")
    record: str = Field(description="api.field_record")


class Added(Submission):
    """A record that was added; the counts are of all that the drain after it took in, if there was one."""

    counts: Counts | None = Field(description="api.field_counts")


class Item(ResponseModel):
    """Result for one record of a batch."""

    number: int = Field(description="api.field_number")
    accepted: bool = Field(description="api.field_accepted")
    submission: str | None = Field(default=None, description="api.field_submission")
    record: str | None = Field(default=None, description="api.field_record")
    detail: str | None = Field(default=None, description="api.field_detail")


class Batch(ResponseModel):
    """What became of many records; those that were taken lie in the inbox, safely on the disk."""

    accepted: int = Field(description="api.field_accepted_count")
    rejected: int = Field(description="api.field_rejected_count")
    items: list[Item] = Field(description="api.field_batch_items")


class Tag(ResponseModel):
    """A tag, who gave it, and how sure that was."""

    value: str = Field(description="api.field_tag_value")
    source: str = Field(description="api.field_tag_source")
    confidence: float = Field(description="api.field_tag_confidence")


class Record(ResponseModel):
    """One record as it stands."""

    id: str = Field(description="api.field_record")
    instruction: str = Field(description="api.field_instruction")
    output: str = Field(description="api.field_output")
    input: str = Field(description="api.field_input")
    subject: str = Field(description="api.field_subject")
    happened_on: date | None = Field(description="api.field_happened_on")
    feeling: str = Field(description="api.field_feeling")
    fact: str = Field(description="api.field_fact")
    source: str = Field(description="api.field_source")
    source_name: str = Field(description="api.field_source_name")
    author: str = Field(description="api.field_author")
    origin: str = Field(description="api.field_origin")
    language: Tag = Field(description="api.field_language")
    category: Tag = Field(description="api.field_category")
    reasoning: Tag = Field(description="api.field_reasoning")
    status: Status = Field(description="api.field_status")
    reason: str = Field(description="api.field_status_reason")
    near_of: str = Field(description="api.field_near_of")
    replaced_by: str = Field(description="api.field_replaced_by")
    created_at: datetime = Field(description="api.field_created_at")
    updated_at: datetime = Field(description="api.field_updated_at")


class Version(ResponseModel):
    """What a record was before one edit."""

    number: int = Field(description="api.field_version_number")
    instruction: str = Field(description="api.field_instruction")
    output: str = Field(description="api.field_output")
    input: str = Field(description="api.field_input")
    subject: str = Field(description="api.field_subject")
    happened_on: str = Field(description="api.field_happened_on")
    feeling: str = Field(description="api.field_feeling")
    language: str = Field(description="api.field_language")
    category: str = Field(description="api.field_category")
    edited_at: datetime = Field(description="api.field_edited_at")
    edited_by: str = Field(description="api.field_edited_by")


class RecordDetail(Record):
    """One record and its past."""

    versions: list[Version] = Field(description="api.field_versions")
    adapters: list[str] = Field(description="api.field_learned_by")


class Records(ResponseModel):
    """A page of records, the newest first."""

    items: list[Record] = Field(description="api.field_items")
    next_cursor: str | None = Field(description="api.field_next_cursor")


CheckedQuestion = Annotated[str, StringConstraints(max_length=LIMITS.instruction_characters, pattern=SEEN)]
CheckedAnswer = Annotated[str, StringConstraints(max_length=LIMITS.output_characters, pattern=SEEN)]
CheckedPassage = Annotated[str, StringConstraints(max_length=LIMITS.input_characters)]


class RecordEdit(RequestModel):
    """Changed fields of a record; what is left out stays as it is."""

    instruction: CheckedQuestion | None = Field(None, description="api.field_instruction")
    output: CheckedAnswer | None = Field(None, description="api.field_output")
    input: CheckedPassage | None = Field(None, description="api.field_input")
    subject: Word | None = Field(None, description="api.field_subject")
    happened_on: Day | Literal[""] | None = Field(None, description="api.field_edit_happened_on")
    feeling: Word | None = Field(None, description="api.field_feeling")
    language: Language | None = Field(None, description="api.field_language")
    category: Kind | None = Field(None, description="api.field_category")


class VersionChoice(RequestModel):
    """The version to restore."""

    number: Whole = Field(ge=1, le=1_000_000, description="api.field_version_number")


class StatusChange(RequestModel):
    """Whether a record may train."""

    action: Literal["release", "exclude"] = Field(description="api.field_status_action")


class Changed(ResponseModel):
    """A record after a change."""

    record: str = Field(description="api.field_changed")
    status: Status = Field(description="api.field_status")


class Forgotten(ResponseModel):
    """Result of forgetting."""

    records: list[str] = Field(description="api.field_forgotten_records")
    adapters: list[str] = Field(description="api.field_forgotten_adapters")
    cold_night: bool = Field(description="api.field_cold_night")
    rejects: int = Field(description="api.field_forgotten_rejects")
    snapshots: list[str] = Field(description="api.field_forgotten_snapshots")
    erased: bool = Field(description="api.field_erased")


class Draft(RequestModel):
    """A record that is still being written."""

    instruction: CheckedQuestion = Field(description="api.field_instruction")
    output: CheckedAnswer = Field(description="api.field_output")
    input: CheckedPassage = Field("", description="api.field_input")


class SuggestedTags(ResponseModel):
    """Suggestions for a draft."""

    language: Tag = Field(description="api.field_language")
    category: Tag = Field(description="api.field_category")
    likely: list[str] = Field(description="api.field_likely")
    exact: Record | None = Field(description="api.field_exact")
    contradicts: list[Record] = Field(description="api.field_contradicts")
    near: list[Record] = Field(description="api.field_near")


class Followed(ResponseModel):
    """The status of a submission."""

    submission: str = Field(description="api.field_submission")
    state: Literal["waiting", "stored", "told_before", "rejected", "unreadable", "gone"] = Field(
        description="api.field_followed_state"
    )
    record: str | None = Field(description="api.field_followed_record")
    status: Status | None = Field(description="api.field_followed_status")
    detail: str | None = Field(description="api.field_followed_detail")


class TagPlace(RequestModel):
    """Position in the queue."""

    after: str = Field("", pattern="^([0-9a-f]{64})?$", description="api.field_tag_after")


class TagChoice(RequestModel):
    """A person's tags: what is left out stays as it is."""

    language: Language | None = Field(None, description="api.field_language")
    category: Kind | None = Field(None, description="api.field_category")
    reasoning: Word = Field("", description="api.field_reasoning")


class TagVersion(RequestModel):
    """The tagging to undo."""

    version: Whole = Field(ge=1, le=1_000_000, description="api.field_tag_version")


class TagTurn(ResponseModel):
    """The next record of the queue."""

    record: Record | None = Field(description="api.field_turn_record")
    categories: list[str] = Field(description="api.field_turn_categories")
    left: int = Field(description="api.field_turn_left")


class Tagged(ResponseModel):
    """A record that was tagged."""

    record: str = Field(description="api.field_record")
    version: int | None = Field(description="api.field_tag_version")
