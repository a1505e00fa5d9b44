"""Promotions: the list with its history, one with its reasons, and a person's word on it."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import Response

from bonsai import overview, pipeline, views
from bonsai.dashboard.promotions import evidence
from bonsai.dashboard.promotions import shown as pages
from bonsai.dashboard.web import Contributor, Form, Problem, Reviewer, Visit
from bonsai.errors import PromotionError
from bonsai.pipeline import Review
from bonsai.promotion import State, settle
from storage.promotions_table import Promotion

router = APIRouter(prefix="/promotions")
LONGEST_REASON = 2_000


@router.get("")
def list_(visit: Contributor) -> Response:
    """Newest first, and the whole history with the proof that nobody altered it."""
    with visit.at_once():
        found, pointer, history = views.list_promotions(visit.b), overview.pointer(visit.b), overview.history(visit.b)
    states = {one.adapter: settle(one.candidate, pointer) for one in found}
    return visit.page("promotions/list.html", rows=pages.rows(found, states), history=history)


@router.get("/{adapter}")
def show(visit: Contributor, adapter: str) -> Response:
    """The verdict in words, every rule, the slices, what may be done."""
    return _page(visit, adapter)


def _page(visit: Visit, adapter: str, problem: str = "", reason: str = "", status: int = 200) -> Response:
    found = pipeline.beside(visit.b, adapter)
    state = settle(found.promotion.candidate, found.pointer)
    may_decide = visit.person is not None and visit.person.may("reviewer")
    return visit.page(
        "promotions/promotion.html",
        status,
        promotion=found.promotion,
        state=state,
        verdict=pages.verdict(found.promotion),
        reasons=pages.reasons(visit, found.promotion),
        groups=pages.groups(visit, found.promotion),
        slices=pages.slice_rows(visit, found.accuracy),
        curves=evidence.curves(visit, found.learned, found.promotion.adapter),
        data=visit.text("review.data_sentence", **found.data_changes),
        reviews=evidence.review_rows(visit, found.reviews),
        review=_review_key(visit, found.reviews) if may_decide else "",
        lines=[line for line in found.history.lines if line.entry.adapter == found.promotion.adapter],
        history=found.history,
        actions=pages.ACTIONS.get(state, ()) if may_decide else (),
        needs_reason=state is State.REFUSED,
        problem=problem,
        reason=reason,
    )


def _review_key(visit: Visit, reviews: Sequence[Review]) -> str:
    """What the link to the person's own review says."""
    own = next((one for one in reviews if one.person == visit.who), None)
    return "begin" if own is None else "see" if own.tally else "go_on"


@router.post("/{adapter}/{action}")
def decide(visit: Reviewer, adapter: str, action: str, form: Form) -> Response:
    """Approve, reject, roll back, or let a former champion answer again."""
    found = views.show_promotion(visit.b, adapter)
    reason = form.get("reason", "").strip()[:LONGEST_REASON]
    try:
        done = _act(visit, found, action, reason)
    except PromotionError as error:
        return _page(visit, found.adapter, error.render(visit.language), reason, 409)
    visit.noted(done, found.adapter)
    return visit.go(f"/promotions/{found.adapter}", done)


def _act(visit: Visit, found: Promotion, action: str, reason: str) -> str:
    """What was done, by the name of the sentence that says so."""
    by, now = visit.who, visit.now
    match action:
        case "approve" | "restore":
            pipeline.approve(visit.b, found.adapter, by=by, reason=reason, now=now)
            return "approve"
        case "reject":
            pipeline.reject(visit.b, found.adapter, by=by, reason=reason, now=now)
            return "reject"
        case "rollback":
            pipeline.rollback(visit.b, adapter=found.adapter, by=by, reason=reason, now=now)
            return "rollback"
    raise Problem(404, "problem_no_action")
