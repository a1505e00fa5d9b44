"""Timeline pages: all subjects, and one subject's events with similar earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from bonsai.queries import timeline as timeline_queries
from bonsai.queries.timeline import Earlier, Entry
from bonsai.web import problems
from bonsai.web.presenters.records import shorten
from bonsai.web.problems import Problem
from bonsai.web.request import Contributor, Visit
from storage.tables.subjects import SubjectEvent

router = APIRouter()
DAYS_A_YEAR, DAYS_A_MONTH = 365.25, 30.44
ON_A_PAGE = 15
"Maximum: a subject's texts are scattered on disk, and each takes a millisecond."
LONG = 7
"Maximum digits of a number in the query."
YEARS_FROM = 330
"Distances from this many days on are given in years."


@dataclass(frozen=True, slots=True)
class EarlierShown:
    """A similar earlier event."""

    id: str
    words: str
    question: str
    day: date
    likeness: float


@dataclass(frozen=True, slots=True)
class EntryShown:
    """One event."""

    told: SubjectEvent
    question: str
    answer: str
    earlier: tuple[EarlierShown, ...]


@dataclass(frozen=True, slots=True)
class Month:
    """Events of one month."""

    id: str
    words: str
    entries: tuple[EntryShown, ...]


@router.get("/subjects")
def subjects(visit: Contributor) -> Response:
    """Subjects, most records first."""
    given = visit.request.query_params
    fewer = problems.number(given, "fewer", 0)
    size = visit.site.settings.page_size
    found = timeline_queries.list_subjects(visit.b, size + 1, fewer, given.get("after", "") if fewer else "")
    shown = found[:size]
    last = shown[-1] if len(found) > size else None
    return visit.page(
        "records/subjects.html",
        subjects=[(one, f"/timeline?{urlencode({'subject': one.name})}") for one in shown],
        first_page="/subjects" if fewer else "",
        next_page=f"/subjects?{urlencode({'fewer': last.records, 'after': last.name})}" if last else "",
    )


@router.get("/timeline")
def timeline(visit: Contributor) -> Response:
    """One subject's events, latest first, by year and month."""
    given = visit.request.query_params
    subject, after = given.get("subject", ""), given.get("after", "")
    past = int(given["past"]) if given.get("past", "").isdecimal() and len(given["past"]) < LONG else None
    size = min(visit.site.settings.page_size, ON_A_PAGE)
    found = (
        timeline_queries.timeline(visit.b, subject, size + 1, after, past) if subject else timeline_queries.Timeline(())
    )
    if not found.entries:
        raise Problem(404, "problem_no_subject")
    shown = found.entries[:size]
    more = {"subject": subject, "after": shown[-1].event.id} if len(found.entries) > size else None
    return visit.page(
        "records/timeline.html",
        subject=subject,
        months=months(visit, shown),
        look={"subject": subject, "after": after, "past": found.unread} if found.unread is not None else {},
        looked=past is not None,
        first_page=f"/timeline?{urlencode({'subject': subject})}" if after else "",
        next_page=f"/timeline?{urlencode(more)}" if more else "",
        add_path=f"/records/new?{urlencode({'subject': subject})}",
        list_path=f"/records?{urlencode({'subject': subject})}",
    )


def months(visit: Visit, entries: Sequence[Entry]) -> list[Month]:
    """Grouped in the given order."""
    return [
        Month(
            f"{year}-{month:02}",
            visit.text("curating.month", year=year, month=month, name=visit.text(f"curating.month_{month}")),
            tuple(_shown(visit, one) for one in group),
        )
        for (year, month), group in groupby(entries, key=lambda one: (one.event.day.year, one.event.day.month))
    ]


def _shown(visit: Visit, entry: Entry) -> EntryShown:
    event = entry.event
    return EntryShown(
        event, shorten(event.instruction), shorten(event.output), tuple(_earlier(visit, one) for one in entry.earlier)
    )


def _earlier(visit: Visit, one: Earlier) -> EarlierShown:
    if one.days >= YEARS_FROM:
        count = max(round(one.days / DAYS_A_YEAR), 1)
        key = "years"
    else:
        count, key = max(round(one.days / DAYS_A_MONTH), 1), "months"
    words = visit.text(f"curating.{key}_before" if count > 1 else f"curating.{key[:-1]}_before", count=count)
    return EarlierShown(
        one.event.id, words, shorten(f"{one.event.instruction} {one.event.output}"), one.event.day, one.likeness
    )
