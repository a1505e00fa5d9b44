"""Promotion pages: list with log, evidence, decisions, answers, data changes, blind review."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import Response

from bonsai.actions.blind_review import add_verdict, review_state, undo_verdict
from bonsai.actions.promotions import approve, reject, rollback
from bonsai.domain.promotion import State, settle
from bonsai.errors import PromotionError
from bonsai.evaluate.blind_review import words
from bonsai.queries import promotions
from bonsai.queries.answers import list_answers
from bonsai.queries.gate import floor_rows, gate_tonight, minimum_rows, origin, other_lines
from bonsai.queries.promotions import Review, data_changes_of, list_promotions, promotion_evidence, show_promotion
from bonsai.serializers.promotions import ACTIONS
from bonsai.web import problems
from bonsai.web.presenters import evidence
from bonsai.web.presenters import evidence as answers_shown
from bonsai.web.presenters import promotions as pages
from bonsai.web.problems import Problem
from bonsai.web.request import Contributor, Form, Reviewer, Visit
from storage.tables.promotions_table import Promotion

router = APIRouter(prefix="/promotions")


@router.get("/gate")
def gate(visit: Contributor) -> Response:
    """By what the next night is judged."""
    tonight, language = gate_tonight(visit.b), visit.language
    return visit.page(
        "promotions/gate.html",
        base=tonight.base,
        origin=origin(tonight, language),
        minima=minimum_rows(tonight, language),
        lines=other_lines(tonight, language),
        floors=floor_rows(tonight, language),
    )


@router.get("/{adapter}/review")
def show_review(visit: Reviewer, adapter: str) -> Response:
    """The next question, or the result. Works without script."""
    standing = review_state(visit.b, adapter, visit.who)
    return visit.page(
        "promotions/review.html",
        adapter=standing.adapter,
        standing=standing,
        question=standing.question,
        result=words(standing.tally, visit.language) if standing.tally else (),
    )


@router.post("/{adapter}/review")
def answer(visit: Reviewer, adapter: str, form: Form) -> Response:
    """Store a verdict or undo the last one, then show the next question."""
    full_id = show_promotion(visit.b, adapter).adapter
    if form.get("side") == "undo":
        undo_verdict(visit.b, full_id, visit.who)
    else:
        given = (form.get("item", ""), form.get("side", ""))
        standing = add_verdict(visit.b, full_id, visit.who, *given, visit.now)
        if standing.tally:
            visit.noted("review", full_id)
    return visit.go(f"/promotions/{full_id}/review")


FLIPS_SHOWN = 25


@router.get("/{adapter}/answers")
def answers(visit: Contributor, adapter: str) -> Response:
    """Answers whose correctness changed, similar new records, and the slices."""
    found = visit.site.explain(show_promotion(visit.b, adapter).adapter)
    start = problems.number(visit.request.query_params, "from", 0)
    shown = found.flips[start : start + FLIPS_SHOWN]
    following = start + FLIPS_SHOWN
    return visit.page(
        "promotions/answers.html",
        adapter=found.promotion.adapter,
        answers=answers_shown.changed_answers(visit, shown),
        slices=answers_shown.slices(visit, found.slices) if not start else (),
        few_facts=any(one.low is None for one in found.slices),
        gained=sum(flip.gained for flip in found.flips),
        lost=sum(not flip.gained for flip in found.flips),
        missing=bool(found.missing),
        new_records=found.new_records,
        following=following if following < len(found.flips) else 0,
        start=start,
    )


@router.get("/{adapter}/answers/all")
def all_answers(visit: Contributor, adapter: str) -> Response:
    """Every visible answer, searchable; the next page begins after this one's last item."""
    full_id = show_promotion(visit.b, adapter).adapter
    given = {**dict.fromkeys((*evidence.FILTERS, "after"), ""), **visit.request.query_params}
    choices = evidence.choices(visit)
    for name, known in choices.items():
        problems.one_of(given, name, [one for one, _ in known])
    size = visit.site.settings.page_size
    found = list_answers(visit.b, full_id, evidence.filter_of(given))
    places = {one.item: number for number, one in enumerate(found, 1)}
    start = places.get(given["after"], 0)
    shown = found[start : start + size]
    path = f"/promotions/{full_id}/answers/all"
    return visit.page(
        "promotions/all_answers.html",
        adapter=full_id,
        answers=evidence.all_answers(visit, shown),
        count=len(found),
        given=given,
        choices=choices,
        first_page=evidence.page_path(path, given) if start else "",
        next_page=evidence.page_path(path, given, after=shown[-1].item) if start + size < len(found) else "",
    )


@router.get("/{adapter}/data")
def data(visit: Contributor, adapter: str) -> Response:
    """Records that only the candidate or only its champion was trained on."""
    given = {**dict.fromkeys(("kind", "before"), ""), **visit.request.query_params}
    size = visit.site.settings.page_size
    found = data_changes_of(visit.b, adapter, size + 1, before=given["before"], kind=given["kind"])
    path = f"/promotions/{found.adapter}/data"
    last = found.records[size - 1].stored.record.id if len(found.records) > size else ""
    return visit.page(
        "promotions/data.html",
        adapter=found.adapter,
        sentence=visit.text("review.data_sentence", **found.counts),
        groups=evidence.group_rows(visit, found),
        kinds=evidence.kinds(visit),
        rows=evidence.changed_rows(visit, found.records[:size]),
        given=given,
        first_page=evidence.page_path(path, {"kind": given["kind"]}) if given["before"] else "",
        next_page=evidence.page_path(path, {"kind": given["kind"]}, before=last) if last else "",
    )


MAX_REASON_CHARACTERS = 2_000


@router.get("")
def list_(visit: Contributor) -> Response:
    """Newest first, with the promotion log and its verification."""
    with visit.at_once():
        found, pointer, history = list_promotions(visit.b), promotions.pointer(visit.b), promotions.history(visit.b)
    states = {one.adapter: settle(one.candidate, pointer) for one in found}
    return visit.page("promotions/list.html", rows=pages.rows(found, states), history=history)


@router.get("/{adapter}")
def show(visit: Contributor, adapter: str) -> Response:
    """Verdict, rules, slices, possible actions."""
    return _page(visit, adapter)


def _page(visit: Visit, adapter: str, problem: str = "", reason: str = "", status: int = 200) -> Response:
    found = promotion_evidence(visit.b, adapter)
    state = settle(found.promotion.candidate, found.pointer)
    may_decide = visit.person is not None and visit.person.may("reviewer")
    return visit.page(
        "promotions/promotion.html",
        status,
        promotion=found.promotion,
        state=state,
        verdict=found.promotion.decision.finding,
        reasons=pages.reasons(visit, found.promotion),
        groups=pages.groups(visit, found.promotion),
        slices=pages.slice_rows(visit, found.accuracy),
        curves=evidence.curves(visit, found.learned, found.promotion.adapter),
        data=visit.text("review.data_sentence", **found.data_changes),
        reviews=evidence.review_rows(visit, found.reviews),
        review=_review_key(visit, found.reviews) if may_decide else "",
        lines=[line for line in found.history.lines if line.entry.adapter == found.promotion.adapter],
        history=found.history,
        actions=ACTIONS.get(state, ()) if may_decide else (),
        needs_reason=state is State.REFUSED,
        problem=problem,
        reason=reason,
    )


def _review_key(visit: Visit, reviews: Sequence[Review]) -> str:
    """Label of the link to the user's own review."""
    own = next((one for one in reviews if one.person == visit.who), None)
    return "begin" if own is None else "see" if own.tally else "go_on"


@router.post("/{adapter}/{action}")
def decide(visit: Reviewer, adapter: str, action: str, form: Form) -> Response:
    """Approve, reject, roll back, or restore a former champion."""
    found = show_promotion(visit.b, adapter)
    reason = form.get("reason", "").strip()[:MAX_REASON_CHARACTERS]
    try:
        done = _act(visit, found, action, reason)
    except PromotionError as error:
        return _page(visit, found.adapter, visit.words_of(error), reason, 409)
    visit.noted(done, found.adapter)
    return visit.go(f"/promotions/{found.adapter}", done)


def _act(visit: Visit, found: Promotion, action: str, reason: str) -> str:
    """Perform the action; returns the key of its success message."""
    by, now = visit.who, visit.now
    match action:
        case "approve" | "restore":
            approve(visit.b, found.adapter, by=by, reason=reason, now=now)
            return "approve"
        case "reject":
            reject(visit.b, found.adapter, by=by, reason=reason, now=now)
            return "reject"
        case "rollback":
            rollback(visit.b, adapter=found.adapter, by=by, reason=reason, now=now)
            return "rollback"
    raise Problem(404, "problem_no_action")
