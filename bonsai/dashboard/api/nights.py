"""/nights: what each night did."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from bonsai import views
from bonsai.dashboard.api import judged, models
from bonsai.dashboard.api.calling import Call, NightKey, Reading, documented
from bonsai.dashboard.problems import Problem
from bonsai.errors import UnknownId
from bonsai.views import Accuracy, NightReport

router = APIRouter(prefix="/nights", tags=["nights"])


@router.get("", **documented("list_nights", 404))
def list_nights(call: Reading, page: Annotated[models.Page, Query()]) -> judged.Nights:
    """Newest first."""
    found = views.list_nights(call.b, None)
    keys = [one.night for one in found]
    start = start_after(keys, page.cursor)
    shown = found[start : start + page.limit]
    more = shown[-1].night if start + page.limit < len(found) else None
    return judged.Nights(items=[judged.Night(**_fields(call, one)) for one in shown], next_cursor=more)


@router.get("/{night}", **documented("read_night", 404))
def read_night(call: Reading, night: NightKey) -> judged.NightDetail:
    """Verdict, reasons, right answers before and after."""
    found = views.show_night(call.b, night)
    if found.night != night:  # the terminal takes a beginning; an address names one thing
        raise UnknownId("storage.unknown_night", key=night)
    return judged.NightDetail(**_fields(call, found), slices=_slices(found.accuracy), suite=_slices(found.suite))


def start_after(keys: list[str], cursor: str | None) -> int:
    """Where the page after the cursor begins. Raises Problem for one that is no key of the list."""
    if cursor is None:
        return 0
    if cursor not in keys:
        raise Problem(404, "api.no_cursor", cursor=cursor)
    return keys.index(cursor) + 1


def _fields(call: Call, found: NightReport) -> dict[str, Any]:
    names = ("night", "status", "verdict", "challenger", "champion", "start", "started_at", "finished_at")
    return {**{name: getattr(found, name) for name in names}, "reasons": found.reasons_in(call.language)}


def _slices(accuracy: Accuracy) -> list[judged.Slice]:
    return [
        judged.Slice(domain=domain, language=language, before=figures.get("before"), after=figures.get("after"))
        for domain, languages in accuracy.items()
        for language, figures in languages.items()
    ]
