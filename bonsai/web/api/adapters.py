"""/adapters: each with its passport, its chain of warm starts down to single records, its files; the download."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import StreamingResponse

from bonsai.errors import UnknownId, UsageError
from bonsai.queries import adapters
from bonsai.queries.adapters import FullAdapter
from bonsai.schemas.base import PageRequest, RequestModel, ResponseModel
from bonsai.web.api.request import AdapterId, Call, Reading, Reviewing, documented
from bonsai.web.problems import Problem

router = APIRouter(prefix="/adapters", tags=["adapters"])
TAR = "application/x-tar"
ARCHIVE: dict[int | str, dict[str, Any]] = {200: {"content": {TAR: {"schema": {"type": "string", "format": "binary"}}}}}


class AdapterLook(RequestModel):
    """How closely it is looked at."""

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

    passport: dict[str, Any] = Field(description="api.field_passport")
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
    instruction: str = Field(description="api.field_instruction")
    subject: str = Field(description="api.field_subject")
    happened_on: date | None = Field(description="api.field_happened_on")
    status: str = Field(description="api.field_status")


class LearnedRecords(ResponseModel):
    """A page of them, in the order of its snapshot."""

    items: list[LearnedRecord] = Field(description="api.field_items")
    next_cursor: str | None = Field(description="api.field_next_cursor")


@router.get("", **documented("list_adapters", 404))
def list_adapters(call: Reading, page: Annotated[PageRequest, Query()]) -> Adapters:
    """Newest first."""
    found = adapters.list_adapters(call.b, page.limit + 1, page.cursor or "")
    if page.cursor and not found:
        exact_adapter(call, page.cursor)  # the last page, or no adapter of this home?
    shown = found[: page.limit]
    more = shown[-1].id if len(found) > page.limit else None
    return Adapters(items=[Adapter.model_validate(one) for one in shown], next_cursor=more)


@router.get("/{adapter}", **documented("read_adapter", 404))
def read_adapter(call: Reading, adapter: AdapterId, look: Annotated[AdapterLook, Query()]) -> AdapterDetail:
    """Passport, ancestors, files; with `check` every file is hashed anew."""
    found = exact_adapter(call, adapter)
    problem = adapters.check_files(found) if look.check else None
    return AdapterDetail(
        **asdict(found.line),
        passport=asdict(found.passport),
        ancestors=[Adapter.model_validate(one) for one in found.ancestors],
        children=list(found.children),
        files=[AdapterFile.model_validate(one) for one in found.files],
        whole=problem is None if look.check else None,
        problem=problem.render(call.language) if problem else None,
    )


@router.get("/{adapter}/records", **documented("list_learned", 404))
def list_learned(call: Reading, adapter: AdapterId, page: Annotated[PageRequest, Query()]) -> LearnedRecords:
    """Own records of its training."""
    if page.cursor and not (page.cursor.isdecimal() and len(page.cursor) < 16):
        raise Problem(404, "api.no_cursor", cursor=page.cursor)
    snapshot = exact_adapter(call, adapter).passport.snapshot_id
    found = adapters.learned_records(call.b, snapshot, page.limit + 1, int(page.cursor) if page.cursor else -1)
    shown = found[: page.limit]
    more = str(shown[-1].place) if len(found) > page.limit else None
    return LearnedRecords(items=[LearnedRecord.model_validate(one) for one in shown], next_cursor=more)


@router.get(
    "/{adapter}/download",
    response_class=StreamingResponse,
    **documented("download_adapter", 404, success_content=ARCHIVE),
)
def download_adapter(call: Reviewing, adapter: AdapterId) -> StreamingResponse:
    """One .tar, streamed, after its hashes were checked."""
    found = exact_adapter(call, adapter)
    adapters.require_whole(found)
    call.noted("download", found.line.id)
    headers = {
        "Content-Disposition": f'attachment; filename="bonsai-adapter-{found.line.id}.tar"',
        "Content-Length": str(adapters.archive_size(found)),
    }
    return StreamingResponse(adapters.archive(found), media_type=TAR, headers=headers)


def exact_adapter(call: Call, name: str) -> FullAdapter:
    """By its whole id: the terminal takes a beginning, an address names one thing. Raises UnknownId."""
    try:
        found = adapters.show_adapter(call.b, name)
    except UsageError:
        raise UnknownId("pipeline.unknown_adapter", id=name) from None
    if found.line.id != name:
        raise UnknownId("pipeline.unknown_adapter", id=name)
    return found
