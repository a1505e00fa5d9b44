"""Promotions: the list with its history, one with its reasons, and a person's word on it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from bonsai import overview, pipeline, views
from bonsai.dashboard.promotions import answers as answers_shown
from bonsai.dashboard.promotions import shown as pages
from bonsai.dashboard.web import Contributor, Form, Problem, Reviewer, Visit
from bonsai.errors import PromotionError, UnknownId
from bonsai.promotion import State, settle
from storage.promotions_table import Promotion

router = APIRouter(prefix="/promotions")
LONGEST_REASON = 2_000
FLIPS_SHOWN = 25


@router.get("")
def list_(visit: Contributor) -> Response:
    """Newest first, and the whole history with the proof that nobody altered it."""
    found = views.list_promotions(visit.b)
    pointer = overview.pointer(visit.b)
    states = {one.adapter: settle(one.candidate, pointer) for one in found}
    return visit.page("promotions/list.html", rows=pages.rows(found, states), history=overview.history(visit.b))


@router.get("/{adapter}")
def show(visit: Contributor, adapter: str) -> Response:
    """The verdict in words, every rule, the slices, what may be done."""
    return _page(visit, views.show_promotion(visit.b, adapter))


def _page(visit: Visit, found: Promotion, problem: str = "", reason: str = "", status: int = 200) -> Response:
    state = settle(found.candidate, overview.pointer(visit.b))
    try:
        accuracy = views.show_night(visit.b, found.night).accuracy
    except UnknownId:  # a home whose nights were not brought along
        accuracy = {}
    lines = [line for line in overview.history(visit.b).lines if line.entry.adapter == found.adapter]
    return visit.page(
        "promotions/promotion.html",
        status,
        promotion=found,
        state=state,
        verdict=pages.verdict(found),
        reasons=pages.reasons(visit, found),
        groups=pages.groups(visit, found),
        slices=pages.slice_rows(visit, accuracy),
        lines=lines,
        actions=pages.ACTIONS.get(state, ()) if visit.person and visit.person.may("reviewer") else (),
        needs_reason=state is State.REFUSED,
        problem=problem,
        reason=reason,
    )


@router.get("/{adapter}/answers")
def answers(visit: Contributor, adapter: str) -> Response:
    """The answers that turned right or wrong, the new records that are most like each question, and the slices."""
    found = visit.site.explain(views.show_promotion(visit.b, adapter).adapter)
    said = visit.request.query_params.get("from", "0")
    start = int(said) if said.isdecimal() and len(said) < 7 else 0
    shown = found.flips[start : start + FLIPS_SHOWN]
    following = start + FLIPS_SHOWN
    return visit.page(
        "promotions/answers.html",
        adapter=found.promotion.adapter,
        answers=answers_shown.answers(visit, shown),
        slices=answers_shown.slices(visit, found.slices) if not start else (),
        gained=sum(flip.gained for flip in found.flips),
        lost=sum(not flip.gained for flip in found.flips),
        missing=bool(found.missing),
        new_records=found.new_records,
        following=following if following < len(found.flips) else 0,
        start=start,
    )


@router.post("/{adapter}/{action}")
def decide(visit: Reviewer, adapter: str, action: str, form: Form) -> Response:
    """Approve, reject, roll back, or let a former champion answer again."""
    found = views.show_promotion(visit.b, adapter)
    reason = form.get("reason", "").strip()[:LONGEST_REASON]
    try:
        done = _act(visit, found, action, reason)
    except PromotionError as error:
        return _page(visit, views.show_promotion(visit.b, found.adapter), error.render(visit.language), reason, 409)
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
            answering = views.champion(visit.b)
            if answering != found.adapter:  # somebody else was quicker; whoever answers now is not meant
                raise PromotionError("promotion.not_champion", adapter=found.adapter, champion=answering)
            pipeline.rollback(visit.b, by=by, reason=reason, now=now)
            return "rollback"
    raise Problem(404, "problem_no_action")
