"""The lines that became no record."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from bonsai import views
from bonsai.dashboard.web import Contributor, Visit
from bonsai.dashboard.words import reject_words
from storage.rejects_table import StoredReject

router = APIRouter()
MOST_REJECTS = 100


@dataclass(frozen=True, slots=True)
class RejectShown:
    """A line that became no record."""

    place: str
    reason: str
    raw: str
    "As it stood in the file; text, whatever it contains."


@router.get("/rejects")
def rejects(visit: Contributor) -> Response:
    """What could not become a record, with its raw line."""
    found = views.list_rejects(visit.b, MOST_REJECTS + 1)
    shown = [_shown(visit, one) for one in found[:MOST_REJECTS]]
    return visit.page("records/rejects.html", rejects=shown, more=len(found) > MOST_REJECTS)


def _shown(visit: Visit, stored: StoredReject) -> RejectShown:
    """Where it stood, why it was refused, what it said."""
    told = stored.reject
    return RejectShown(f"{told.file}:{told.line}" if told.line else told.file, reject_words(visit, told), told.raw)
