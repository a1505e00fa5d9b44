"""The overview page."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from bonsai.queries import overview
from bonsai.queries.nights import list_nights
from bonsai.queries.promotions import show_promotion
from bonsai.web.presenters import nights as nights_shown
from bonsai.web.presenters.home import coverage, last_night, next_night, next_night_sentence, trend, waiting_rows
from bonsai.web.request import Contributor

router = APIRouter()


@router.get("/")
def home(visit: Contributor) -> Response:
    """Champion, last and next night, pending work, score history, coverage."""
    with visit.at_once():
        found = overview.overview(visit.b)
        nights = list_nights(visit.b, 1)
        last = show_promotion(visit.b, nights[0].challenger) if nights and nights[0].verdict else None
    return visit.page(
        "home/home.html",
        champion=found.champion,
        last_night=last_night(visit, nights[0], last) if nights else None,
        waiting=waiting_rows(visit, found.waiting),
        next_night=next_night_sentence(visit, next_night(visit.b.home, visit.now)),
        trend=trend(visit, found.scores),
        coverage=coverage(found.coverage),
        live=nights_shown.current(visit),
    )
