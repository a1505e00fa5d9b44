"""/nights and /progress: results of each night, progress of the running one; start and cancel."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from bonsai.errors import TerminalError, UnknownId
from bonsai.night import status
from bonsai.queries import nights as nights_queries
from bonsai.queries import overview as overview_queries
from bonsai.schemas import base
from bonsai.schemas.nights import Champion, Coverage, NewNight, NightDetail, Nights, Overview, Progress, Waiting
from bonsai.serializers import nights as serializers
from bonsai.web.api.request import CALLING, SENDING, Call, Key, NightKey, Reading, Reviewing, documented
from bonsai.web.problems import Problem
from flows import starting

router = APIRouter(prefix="/nights", tags=["nights"])
progress = APIRouter(tags=["nights"])


@router.get("", **documented("list_nights", 404))
def list_nights(call: Reading, page: Annotated[base.PageRequest, Query()]) -> Nights:
    """Newest first."""
    found = nights_queries.list_nights(call.b, None)
    keys = [one.night for one in found]
    start = start_after(keys, page.cursor)
    shown = found[start : start + page.limit]
    more = shown[-1].night if start + page.limit < len(found) else None
    return Nights(items=[serializers.night(one, call.language) for one in shown], next_cursor=more)


@router.get("/{night}", **documented("read_night", 404))
def read_night(call: Reading, night: NightKey) -> NightDetail:
    """Verdict, reasons, right answers before and after."""
    found = nights_queries.night_detail(call.b, night)
    if found.report.night != night:  # the CLI accepts a prefix; the API needs the full id
        raise UnknownId("storage.unknown_night", id=night)
    return serializers.night_detail(found, call.language)


@router.post("", status_code=202, **documented("start_night", *SENDING, success="api.doc_202_night"))
def start_night(call: Reviewing, said: NewNight, key: Key = None) -> Progress:
    """In its own process or on the server of `bonsai up`, as on the page."""
    try:
        call.site.start_night(call.caller.name, said.cold)
    except TerminalError as error:
        raise Problem(409, error.key, **error.values) from error
    call.noted("night_start", "")
    return _progress(call, nights_queries.running_night(call.b))


@router.post("/{night}/cancel", status_code=202, **documented("cancel_night", *CALLING, 404))
def cancel_night(call: Reviewing, night: NightKey, key: Key = None) -> Progress:
    """Request a stop at the next heartbeat."""
    try:
        status.cancel_night(call.b, night, call.caller.name, call.now)
    except UnknownId:
        raise
    except TerminalError as error:
        raise Problem(409, error.key, **error.values) from error
    call.noted("night_cancel", night)
    return _progress(call, nights_queries.night_progress(call.b, night))


@progress.get("/progress", **documented("progress"))
def read_progress(call: Reading) -> Progress:
    """Progress of the running night; reads the database only for the token."""
    return _progress(call, nights_queries.running_night(call.b))


def _progress(call: Call, found: nights_queries.NightProgress | None) -> Progress:
    return serializers.progress(found, starting=found is None and starting.starting(call.b.home, call.now) is not None)


def start_after(keys: list[str], cursor: str | None) -> int:
    """Index of the page after the cursor. Raises Problem for an unknown cursor."""
    if cursor is None:
        return 0
    if cursor not in keys:
        raise Problem(404, "api.no_cursor", cursor=cursor)
    return keys.index(cursor) + 1


overview = APIRouter(tags=["overview"])


@overview.get("/overview", **documented("overview"))
def read_overview(call: Reading) -> Overview:
    """Champion, pending work, coverage."""
    found = overview_queries.overview(call.b, champions=0)
    coverage = [
        Coverage(language=language, category=category, records=count)
        for (language, category), count in sorted(found.coverage.items())
    ]
    return Overview(
        champion=Champion.model_validate(found.champion),
        waiting=Waiting.model_validate(found.waiting),
        coverage=coverage,
    )
