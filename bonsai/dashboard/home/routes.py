"""The first page."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from bonsai import overview, views
from bonsai.dashboard.home import shown
from bonsai.dashboard.home.schedule import next_night
from bonsai.dashboard.nights import shown as nights_shown
from bonsai.dashboard.web import Contributor

router = APIRouter()


@router.get("/")
def home(visit: Contributor) -> Response:
    """Who answers, what the last night did, what waits, when the next night is, how the score went, what is known."""
    with visit.at_once():
        found = overview.overview(visit.b)
        nights = views.list_nights(visit.b, 1)
        last = views.show_promotion(visit.b, nights[0].challenger) if nights and nights[0].verdict else None
    return visit.page(
        "home/home.html",
        champion=found.champion,
        last_night=shown.last_night(visit, nights[0], last) if nights else None,
        waiting=shown.waiting_rows(visit, found.waiting),
        next_night=shown.next_night_sentence(visit, next_night(visit.b.home, visit.now)),
        trend=shown.trend(visit, found.scores),
        coverage=shown.coverage(found.coverage),
        live=nights_shown.current(visit),
    )
