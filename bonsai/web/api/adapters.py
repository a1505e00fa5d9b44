"""/adapters: manifest, lineage, training records and files of each adapter; download."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from bonsai.errors import UnknownId, UsageError
from bonsai.queries import adapters
from bonsai.queries.adapters import FullAdapter
from bonsai.schemas.adapters import Adapter, AdapterDetail, AdapterLook, Adapters, LearnedRecord, LearnedRecords
from bonsai.schemas.base import PageRequest
from bonsai.serializers import adapters as serializers
from bonsai.web.api.request import AdapterId, Call, Reading, Reviewing, documented
from bonsai.web.problems import Problem

router = APIRouter(prefix="/adapters", tags=["adapters"])
TAR = "application/x-tar"
ARCHIVE: dict[int | str, dict[str, Any]] = {200: {"content": {TAR: {"schema": {"type": "string", "format": "binary"}}}}}


@router.get("", **documented("list_adapters", 404))
def list_adapters(call: Reading, page: Annotated[PageRequest, Query()]) -> Adapters:
    """Newest first."""
    found = adapters.list_adapters(call.b, page.limit + 1, page.cursor or "")
    if page.cursor and not found:
        exact_adapter(call, page.cursor)  # raises for an unknown id; otherwise this is the last page
    shown = found[: page.limit]
    more = shown[-1].id if len(found) > page.limit else None
    return Adapters(items=[Adapter.model_validate(one) for one in shown], next_cursor=more)


@router.get("/{adapter}", **documented("read_adapter", 404))
def read_adapter(call: Reading, adapter: AdapterId, look: Annotated[AdapterLook, Query()]) -> AdapterDetail:
    """Manifest, ancestors, files; with `check`, all files are hashed again."""
    found = exact_adapter(call, adapter)
    problem = adapters.check_files(found) if look.check else None
    return serializers.adapter_detail(found, problem, call.language, checked=look.check)


@router.get("/{adapter}/records", **documented("list_learned", 404))
def list_learned(call: Reading, adapter: AdapterId, page: Annotated[PageRequest, Query()]) -> LearnedRecords:
    """Own records that it was trained on."""
    if page.cursor and not (page.cursor.isdecimal() and len(page.cursor) < 16):
        raise Problem(404, "api.no_cursor", cursor=page.cursor)
    snapshot = exact_adapter(call, adapter).manifest.snapshot_id
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
    """A .tar of the verified folder, streamed."""
    found = exact_adapter(call, adapter)
    adapters.require_whole(found)
    call.noted("download", found.line.id)
    headers = {
        "Content-Disposition": f'attachment; filename="bonsai-adapter-{found.line.id}.tar"',
        "Content-Length": str(adapters.archive_size(found)),
    }
    return StreamingResponse(adapters.archive(found), media_type=TAR, headers=headers)


def exact_adapter(call: Call, name: str) -> FullAdapter:
    """By full id: the CLI accepts a prefix, the API does not. Raises UnknownId."""
    try:
        found = adapters.show_adapter(call.b, name)
    except UsageError:
        raise UnknownId("pipeline.unknown_adapter", id=name) from None
    if found.line.id != name:
        raise UnknownId("pipeline.unknown_adapter", id=name)
    return found
