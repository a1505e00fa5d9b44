"""Adapters: one, a list, the records that it learned."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import Field

from bonsai.schemas.base import RequestModel, ResponseModel


class AdapterLook(RequestModel):
    """How much detail to read."""

    check: bool = Field(False, description="api.field_adapter_check")


class Adapter(ResponseModel):
    """One adapter in a list."""

    id: str = Field(description="api.field_adapter")
    base: str = Field(description="api.field_adapter_base")
    parent: str = Field(description="api.field_adapter_parent")
    state: str = Field(description="api.field_adapter_state")
    needs_retrain: bool = Field(description="api.field_needs_retrain")
    records: int = Field(description="api.field_adapter_records")
    size: int = Field(description="api.field_size")
    created_at: datetime = Field(description="api.field_adapter_created_at")


class AdapterFile(ResponseModel):
    """One file of an adapter."""

    name: str = Field(description="api.field_file_name")
    size: int = Field(description="api.field_size")
    sha256: str = Field(description="api.field_file_sha256")


class AdapterDetail(Adapter):
    """All that is known of one adapter."""

    manifest: dict[str, Any] = Field(description="api.field_manifest")
    ancestors: list[Adapter] = Field(description="api.field_ancestors")
    children: list[str] = Field(description="api.field_children")
    files: list[AdapterFile] = Field(description="api.field_files")
    whole: bool | None = Field(description="api.field_files_whole")
    problem: str | None = Field(description="api.field_files_problem")


class Adapters(ResponseModel):
    """A page of adapters, the newest first."""

    items: list[Adapter] = Field(description="api.field_items")
    next_cursor: str | None = Field(description="api.field_next_cursor")


class LearnedRecord(ResponseModel):
    """A record that an adapter learned from."""

    id: str = Field(description="api.field_record")
    split: str = Field(description="api.field_split")
    place: int = Field(description="api.field_snapshot_place")
    instruction: str = Field(description="api.field_instruction")
    subject: str = Field(description="api.field_subject")
    happened_on: date | None = Field(description="api.field_happened_on")
    status: str = Field(description="api.field_status")


class LearnedRecords(ResponseModel):
    """A page of them, in the order of its snapshot."""

    items: list[LearnedRecord] = Field(description="api.field_items")
    next_cursor: str | None = Field(description="api.field_next_cursor")


class LearnedAdapter(AdapterDetail):
    """All that is known of one adapter, with a page of the records that it learned."""

    learned: list[LearnedRecord]


class AdapterArchive(ResponseModel):
    """An adapter that was written to a file."""

    path: str
    sha256: str


class AdapterExport(ResponseModel):
    """An adapter that was exported in another form, with its certificate."""

    path: str
    certificate: dict[str, Any]


class AdapterUpload(AdapterExport):
    """An adapter that was exported and uploaded to a hub."""

    url: str
