"""Night pages: calendar, details with progress and logs, start, cancel."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter
from starlette.responses import FileResponse, JSONResponse, Response

from bonsai.errors import TerminalError, UnknownId
from bonsai.night.status import cancel_night
from bonsai.queries import nights as nights_queries
from bonsai.queries.nights import list_nights, show_night
from bonsai.web import problems
from bonsai.web.presenters import nights as grid
from bonsai.web.presenters import nights as pages
from bonsai.web.request import Contributor, Form, Reviewer, Visit
from flows import starting

router = APIRouter(prefix="/nights")
SHOWN_LINES = 200
"Lines of a log on its page; the file has all."
START_LINES = 10
START_SHOWN = timedelta(hours=1)
"A start without a night is reported for this long."
RESTARTABLE = ("failed", "cancelled", "interrupted")


@router.get("")
def list_(visit: Contributor) -> Response:
    """A month as a calendar and a list, with the running night."""
    return _list(visit)


def _list(visit: Visit, problem: str = "", status: int = 200) -> Response:
    today = visit.now.astimezone().date()
    first = problems.month(visit.request.query_params, "month") or today.replace(day=1)
    with visit.at_once():
        nights, oldest = nights_queries.nights_between(visit.b, *grid.span(first)), nights_queries.first_night(visit.b)
    found = pages.rows(visit, nights)
    rows = [row for row in found if (row.mark.on.year, row.mark.on.month) == (first.year, first.month)]
    live = pages.current(visit)
    return visit.page(
        "nights/list.html",
        status,
        month=grid.month(
            first, today, [row.mark for row in rows], oldest.astimezone().date() if oldest else None, visit.language
        ),
        rows=rows,
        live=live,
        problem=problem,
        said=_what_the_start_said(visit) if live.state == "none" else (),
        may_start=live.state == "none" and _may_decide(visit),
    )


def _may_decide(visit: Visit) -> bool:
    return visit.person is not None and visit.person.may("reviewer")


def _what_the_start_said(visit: Visit) -> tuple[str, ...]:
    """Last lines of a start that led to no night: no new records, or an obstacle."""
    start = starting.last_start(visit.b.home)
    log = visit.b.places.logs / starting.LOG
    if start is None or not start.process or visit.now - start.at > START_SHOWN or not log.is_file():
        return ()
    newest = list_nights(visit.b, 1)
    return () if newest and newest[0].started_at >= start.at else tuple(nights_queries.tail(log, START_LINES))


@router.post("")
def start(visit: Reviewer, form: Form) -> Response:
    """Start a night, in its own process or on the server of `bonsai up`."""
    try:
        visit.site.start_night(visit.who, form.get("cold") == "yes")
    except TerminalError as error:
        return _list(visit, visit.words_of(error), 409)
    visit.noted("night_start")
    return visit.go("/nights", "night_start")


@router.get("/status")
def status_now(visit: Contributor) -> Response:
    """The running night as JSON; `state` is `none` or `starting` before there is one."""
    return JSONResponse(pages.as_json(nights_queries.running_night(visit.b), visit))


@router.get("/live")
def live_now(visit: Contributor) -> Response:
    """The running night as an HTML fragment."""
    return visit.page("nights/live.html", live=pages.current(visit), own=False)


@router.get("/{night}")
def show(visit: Contributor, night: str) -> Response:
    """One night: verdict, steps, records, cost, logs, and progress while it runs."""
    return _show(visit, night)


def _show(visit: Visit, night: str, problem: str = "", status: int = 200) -> Response:
    with visit.at_once():
        found = nights_queries.night_detail(visit.b, night)
    report = found.report
    try:
        live = pages.live(visit, nights_queries.night_progress(visit.b, report.night))
    except UnknownId:  # nothing to train on, or run on another machine
        live = None
    running = report.status == "running"
    return visit.page(
        "nights/night.html",
        status,
        night=report,
        kind=pages.kind_of(visit, report),
        reasons=pages.reasons(visit, report),
        why=report.why_in(visit.language),
        live=live if running else None,
        plot=live.plot if live else None,
        steps=pages.steps(visit, found.steps),
        costs=pages.costs(visit, found),
        learned=pages.learned(visit, found.learned) if found.learned else None,
        logs=nights_queries.logs_of(visit.b, report.night),
        may_cancel=found.state == "running" and _may_decide(visit),
        may_start=found.state in RESTARTABLE and _may_decide(visit),
        problem=problem,
    )


@router.get("/{night}/status")
def status(visit: Contributor, night: str) -> Response:
    """Progress as JSON; reads no database."""
    return JSONResponse(pages.as_json(nights_queries.night_progress(visit.b, night), visit))


@router.get("/{night}/live")
def live(visit: Contributor, night: str) -> Response:
    """Progress as an HTML fragment: the night's own, or with `list` that of the list page."""
    found = pages.live(visit, nights_queries.night_progress(visit.b, night))
    return visit.page("nights/live.html", live=found, own="list" not in visit.request.query_params)


@router.get("/{night}/logs/{log}")
def log(visit: Contributor, night: str, log: str) -> Response:
    """The end of a log as plain text."""
    lines = nights_queries.tail(nights_queries.log_file(visit.b, night, log), SHOWN_LINES)
    return visit.page("nights/log.html", night=night, log=log, lines=lines)


@router.get("/{night}/logs/{log}/file")
def log_file(visit: Contributor, night: str, log: str) -> Response:
    """The whole log as a download."""
    path = nights_queries.log_file(visit.b, night, log)
    return FileResponse(path, media_type="text/plain; charset=utf-8", filename=f"{night}-{log}.txt")


@router.post("/{night}/cancel")
def cancel(visit: Reviewer, night: str) -> Response:
    """Request a stop at the next heartbeat."""
    key = show_night(visit.b, night).night
    try:
        cancel_night(visit.b, key, visit.who, visit.now)
    except TerminalError as error:  # it ended meanwhile
        return _show(visit, key, visit.words_of(error), 409)
    visit.noted("night_cancel", key)
    return visit.go(f"/nights/{key}", "night_cancel")
