"""Uploaded files: what is in them, and what became of them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from bonsai.domain.records import LONGEST_FILE_NAME
from bonsai.schemas.base import RequestModel, ResponseModel
from bonsai.schemas.records import Counts, Word


class UploadAs(RequestModel):
    """What the file is called, and whose experience it holds."""

    name: str = Field(min_length=1, max_length=LONGEST_FILE_NAME, description="api.field_upload_name")
    take: bool = Field(False, description="api.field_take")
    source: Literal["import", "self", "community"] = Field("import", description="api.field_source")
    source_name: Word = Field("", description="api.field_source_name")


class TakeAs(RequestModel):
    """Whose experience the file holds."""

    source: Literal["import", "self", "community"] = Field("import", description="api.field_source")
    source_name: Word = Field("", description="api.field_source_name")


class Uploaded(ResponseModel):
    """A file that lies in the home, and how far it is."""

    upload: str = Field(description="api.field_upload")
    state: Literal["unchecked", "checked", "confirmed", "done"] = Field(description="api.field_upload_state")
    read: int | None = Field(description="api.field_check_read")
    rejected: int | None = Field(description="api.field_check_rejected")


class CheckedColumn(ResponseModel):
    """A column of the file."""

    name: str = Field(description="api.field_column")
    field: str = Field(description="api.field_column_field")


class CheckedRow(ResponseModel):
    """One of its first records, as it would be stored."""

    line: int = Field(description="api.field_reject_line")
    question: str = Field(description="api.field_instruction")
    answer: str = Field(description="api.field_output")
    subject: str = Field(description="api.field_subject")
    happened_on: str = Field(description="api.field_happened_on")
    language: str = Field(description="api.field_language")
    category: str = Field(description="api.field_category")


class CheckedProblem(ResponseModel):
    """What is wrong with some of its lines, in one kind."""

    count: int = Field(description="api.field_wrong_count")
    lines: list[int] = Field(description="api.field_wrong_lines")
    reason: str = Field(description="api.field_wrong_reason")
    raw: str = Field(description="api.field_wrong_raw")


class UploadCheck(ResponseModel):
    """Result of checking the file."""

    format: str = Field(description="api.field_check_format")
    encoding: str = Field(description="api.field_check_encoding")
    delimiter: str = Field(description="api.field_check_delimiter")
    read: int = Field(description="api.field_check_read")
    rejected: int = Field(description="api.field_check_rejected")
    columns: list[CheckedColumn] = Field(description="api.field_check_columns")
    rows: list[CheckedRow] = Field(description="api.field_check_rows")
    wrong: list[CheckedProblem] = Field(description="api.field_check_wrong")


class Upload(Uploaded):
    """A file, what is in it, and what became of it."""

    name: str = Field(description="api.field_upload_name")
    size: int = Field(description="api.field_size")
    who: str = Field(description="api.field_who")
    at: datetime = Field(description="api.field_log_at")
    problem: str | None = Field(description="api.field_upload_problem")
    check: UploadCheck | None = Field(description="api.field_check")
    done: int = Field(description="api.field_upload_done")
    counts: Counts | None = Field(description="api.field_counts")


class Uploads(ResponseModel):
    """A page of files, the newest first."""

    items: list[Uploaded] = Field(description="api.field_items")
    next_cursor: str | None = Field(description="api.field_next_cursor")
