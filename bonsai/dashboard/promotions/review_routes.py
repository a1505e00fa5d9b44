"""The blind review: one question a page, answered by a key or a button; works without a script."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from bonsai import pipeline, views
from bonsai.dashboard.web import Form, Reviewer
from bonsai.review import words

router = APIRouter(prefix="/promotions")


@router.get("/{adapter}/review")
def show(visit: Reviewer, adapter: str) -> Response:
    """The next question, or what came out."""
    standing = pipeline.review_standing(visit.b, adapter, visit.who)
    return visit.page(
        "promotions/review.html",
        adapter=standing.adapter,
        standing=standing,
        question=standing.question,
        result=words(standing.tally, visit.language) if standing.tally else (),
    )


@router.post("/{adapter}/review")
def answer(visit: Reviewer, adapter: str, form: Form) -> Response:
    """Keep a verdict, or take the last one back; then the next question."""
    full_id = views.show_promotion(visit.b, adapter).adapter
    if form.get("side") == "undo":
        pipeline.take_back_verdict(visit.b, full_id, visit.who)
    else:
        given = (form.get("item", ""), form.get("side", ""))
        standing = pipeline.give_verdict(visit.b, full_id, visit.who, *given, visit.now)
        if standing.tally:
            visit.noted("review", full_id)
    return visit.go(f"/promotions/{full_id}/review")
