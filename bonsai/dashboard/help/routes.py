"""Help: the loop on one page: a picture, what each page is for, the keys, what the gate's words mean."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from bonsai.dashboard.help import shown
from bonsai.dashboard.web import Contributor

router = APIRouter()


@router.get("/help")
def show(visit: Contributor) -> Response:
    """Needs no database."""
    return visit.page(
        "help/help.html",
        loop=shown.loop_plot(visit),
        steps=shown.steps(visit),
        pages=shown.pages(visit),
        keys=shown.keys(visit),
        verdicts=shown.verdicts(visit),
        rules=shown.rules(visit),
        words=shown.words(visit),
    )
