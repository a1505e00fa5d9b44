"""Reject pages: list, repair, dismiss."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from bonsai.actions.rejects import RepairResult, dismiss_reject, open_reject, repair_reject
from bonsai.domain.records import RAW_CHARACTERS
from bonsai.errors import UsageError
from bonsai.queries.records import page_of_rejects
from bonsai.web.labels import reject_reason
from bonsai.web.presenters.records import shorten
from bonsai.web.problems import Problem
from bonsai.web.request import Contributor, Form, Reviewer, Visit
from storage.tables.rejects_table import StoredReject

router = APIRouter()


@dataclass(frozen=True, slots=True)
class RejectShown:
    """A reject."""

    id: str
    place: str
    "File and line."
    reason: str
    raw: str
    "The original text, as plain text."


@router.get("/rejects")
def browse(visit: Contributor) -> Response:
    """In order of arrival; the next page begins after this one's last id."""
    size = visit.site.settings.page_size
    after = visit.request.query_params.get("after", "")
    found = page_of_rejects(visit.b, size + 1, after)
    shown = found[:size]
    return visit.page(
        "records/rejects.html",
        rejects=[_shown(visit, one, shorten(one.reject.raw)) for one in shown],
        first_page="/rejects" if after else "",
        next_page=f"/rejects?{urlencode({'after': shown[-1].id})}" if len(found) > size else "",
    )


@router.get("/rejects/{reject}")
def show(visit: Contributor, reject: str) -> Response:
    """One reject with a repair form."""
    return _page(visit, open_reject(visit.b, reject))


def _page(
    visit: Visit, stored: StoredReject, repaired: str | None = None, problem: str = "", unexplained: str = ""
) -> Response:
    table = stored.reject.table
    return visit.page(
        "records/reject.html",
        422 if problem or unexplained else 200,
        reject=_shown(visit, stored, stored.reject.raw),
        repaired=stored.reject.raw if repaired is None else repaired,
        columns=list(table.columns) if table else [],
        delimiter=visit.text("entering.tab") if table and table.delimiter == "\t" else table.delimiter if table else "",
        cut=RAW_CHARACTERS if stored.is_cut else 0,
        problem=problem,
        unexplained=unexplained,
        may_dismiss=visit.person is not None and visit.person.may("reviewer"),
    )


@router.post("/rejects/{reject}/repair")
def repair(visit: Contributor, reject: str, form: Form) -> Response:
    """Repair; remaining errors are shown beside the typed text."""
    stored = open_reject(visit.b, reject)
    if stored.is_cut:
        raise Problem(409, "entering.problem_cut")
    raw = form.get("raw", "")
    made = repair_reject(visit.b, stored.id, raw, visit.who, visit.now)
    if not isinstance(made, RepairResult):
        return _page(visit, stored, raw, reject_reason(visit, made))
    visit.noted("repair", stored.id)
    visit.site.drain()
    return _next(visit, stored, "repair")


@router.post("/rejects/{reject}/dismiss")
def dismiss(visit: Reviewer, reject: str, form: Form) -> Response:
    """Dismiss with a reason."""
    stored = open_reject(visit.b, reject)
    try:
        dismiss_reject(visit.b, stored.id, visit.who, form.get("why", ""), visit.now)
    except UsageError as refused:
        return _page(visit, stored, unexplained=visit.words_of(refused))
    visit.noted("dismiss", stored.id)
    return _next(visit, stored, "dismiss")


def _next(visit: Visit, settled: StoredReject, done: str) -> Response:
    """Redirect to the next open reject, else the first, else the empty list."""
    left = page_of_rejects(visit.b, 1, settled.id) or page_of_rejects(visit.b, 1)
    return visit.go(f"/rejects/{left[0].id}", done) if left else visit.go("/rejects", "settled")


def _shown(visit: Visit, stored: StoredReject, raw: str) -> RejectShown:
    reject = stored.reject
    place = f"{reject.file}:{reject.line}" if reject.line else reject.file
    return RejectShown(stored.id, place, reject_reason(visit, reject), raw)
