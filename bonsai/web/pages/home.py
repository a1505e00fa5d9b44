"""The first page: champion, last and next night, what waits, scores.

The schedule is parsed with cronsim (BSD), which Prefect itself uses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import yaml
from cronsim import CronSim
from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import Response

from bonsai.domain.records import LANGUAGES, Category, Status
from bonsai.queries import base_offers, overview
from bonsai.queries.nights import NightReport, list_nights
from bonsai.queries.overview import PendingWork, Score
from bonsai.queries.promotions import show_promotion
from bonsai.system.locks import is_locked
from bonsai.web import charts
from bonsai.web.labels import CATEGORIES, Link, language_name, records_path
from bonsai.web.presenters import nights as nights_shown
from bonsai.web.rendering import ID_LENGTH, time_tag
from bonsai.web.request import Contributor, Visit
from flows.settings import DEPLOYMENTS
from storage.tables.promotions_table import Promotion

NIGHT = "flows.nightly_flow.nightly"


@dataclass(frozen=True, slots=True)
class NextNight:
    """The next scheduled night."""

    at: datetime | None
    "None without a schedule."
    up: bool
    "Whether `bonsai up` runs: nothing else starts scheduled nights."


def next_night(home: Path, now: datetime, file: Path = DEPLOYMENTS) -> NextNight:
    """From the file that `bonsai up` deploys."""
    times = [at for schedule in _schedules(file) if (at := _next(schedule, now)) is not None]
    return NextNight(min(times, default=None), is_locked(home / "prefect" / "up.lock"))


def _schedules(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        return []
    deployments = yaml.safe_load(file.read_text("utf-8")).get("deployments", [])
    return [
        s for d in deployments if d.get("entrypoint", "").replace(":", ".") == NIGHT for s in d.get("schedules") or []
    ]


def _next(schedule: dict[str, Any], now: datetime) -> datetime | None:
    if "cron" not in schedule or schedule.get("active") is False:
        return None
    return next(CronSim(schedule["cron"], now.astimezone(ZoneInfo(schedule.get("timezone", "UTC")))), None)


HELPFUL = 3
"Suggested cells of the coverage table."
OWN_LANGUAGES = ("ja", "en")


@dataclass(frozen=True, slots=True)
class Trend:
    """Champions' scores: a chart and its table."""

    plot: Markup
    scores: Sequence[Score]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Number of records by category and language."""

    languages: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    "(category, ((language, count), ...))"
    fewest: tuple[tuple[str, str], ...]
    "(language, category) with the fewest records."


def last_night(visit: Visit, night: NightReport, promotion: Promotion | None) -> tuple[Markup, str]:
    """One sentence on the night's outcome, and the page that explains it."""
    status = nights_shown.kind_of(visit, night) if night.status == "running" else night.status
    state = promotion.state.value if promotion else status
    kind = {"replaced": "champion", "rolled_back": "champion", "cancelling": "running"}.get(state, state)
    words = visit.html(
        f"night_{kind}",
        night=time_tag(night.started_at),
        adapter=night.challenger[:ID_LENGTH],
        verdict=visit.text(f"decision.verdict_{night.verdict}") if night.verdict else "",
    )
    return words, f"/nights/{quote(night.night)}"


def next_night_sentence(visit: Visit, found: NextNight) -> Markup:
    """When, and whether anything would start it."""
    if found.at is None:
        return visit.html("next_none")
    return visit.html("next_scheduled" if found.up else "next_if_up", at=time_tag(found.at))


def waiting_rows(visit: Visit, waiting: PendingWork) -> list[Link]:
    """Pending work with the page for each; empty kinds are left out."""
    tagging = visit.person is not None and visit.person.may("reviewer")
    found = (
        ("promotions", waiting.promotions, f"/promotions/{waiting.promotion}".rstrip("/")),
        ("contradictions", waiting.contradictions, "/pairs?kind=contradiction"),
        ("held_back", waiting.held_back - waiting.contradictions, records_path(status=Status.HELD_BACK)),
        ("suspects", waiting.suspects, "/pairs?kind=suspect"),
        ("uncertain", waiting.uncertain, "/tagging" if tagging else records_path(uncertain="1")),
        ("rejects", waiting.rejects, "/rejects"),
        ("inbox", waiting.inbox, "/records"),
    )
    return [Link(visit.text(f"waiting_{name}", count=count), path) for name, count, path in found if count]


def trend(visit: Visit, scores: Sequence[Score]) -> Trend | None:
    """None before the first promotion."""
    if not scores:
        return None
    # the last of several changes at the same time
    scores = tuple({(one.since, one.language): one for one in scores}.values())
    points = [charts.Point(one.since, one.language, one.share, one.low, one.high) for one in scores]
    newest = {one.language: one for one in scores}
    newest_scores = [
        visit.text("trend_newest", language=language_name(visit, n), share=f"{one.share:.0%}")
        for n, one in newest.items()
    ]
    return Trend(charts.trend_plot(points, f"{visit.text('trend_label')} {' '.join(newest_scores)}"), scores[::-1])


def coverage(counts: Mapping[tuple[str, str], int]) -> Coverage:
    """All categories and occurring languages; Japanese and English always."""
    found = {language for language, _ in counts}
    languages = tuple(one for one in LANGUAGES if one in OWN_LANGUAGES or one in found)
    some = (*CATEGORIES, Category.UNCATEGORISED.value)
    shown = [one for one in some if one in CATEGORIES or any(counts.get((spoken, one)) for spoken in languages)]
    rows = tuple((one, tuple((spoken, counts.get((spoken, one), 0)) for spoken in languages)) for one in shown)
    cells = [(spoken, one) for one in CATEGORIES for spoken in OWN_LANGUAGES]
    fewest = sorted(cells, key=lambda cell: counts.get(cell, 0))[:HELPFUL]
    return Coverage(languages, rows, tuple(fewest))


def base_offer(visit: Visit) -> Markup | None:
    """What this machine could train instead of the seedling; None while another base is in use."""
    offer = base_offers.base_offer(visit.b.config, visit.b.find_profile(), visit.language)
    if offer is None:
        return None
    if offer.base is None:
        return visit.html("bases.no_offer")
    adding = Markup("<code>{}</code>").format(offer.command)
    if visit.person is None or visit.person.may("admin"):
        adding = Markup('<a href="/bases/{0}">{0}</a>').format(offer.base.name)
    return visit.html("bases.offer", command=adding, **offer.values(visit.language))


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
        base_offer=base_offer(visit),
    )
