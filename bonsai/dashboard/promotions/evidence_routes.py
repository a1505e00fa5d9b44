"""What a promotion rests on, page by page: the changed answers, all answers to search, what changed in the data."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from bonsai import pipeline, views
from bonsai.dashboard import values
from bonsai.dashboard.promotions import answers as answers_shown
from bonsai.dashboard.promotions import evidence
from bonsai.dashboard.web import Contributor

router = APIRouter(prefix="/promotions")
FLIPS_SHOWN = 25


@router.get("/{adapter}/answers")
def answers(visit: Contributor, adapter: str) -> Response:
    """The answers that turned right or wrong, the new records that are most like each question, and the slices."""
    found = visit.site.explain(views.show_promotion(visit.b, adapter).adapter)
    start = values.number(visit.request.query_params, "from", 0)
    shown = found.flips[start : start + FLIPS_SHOWN]
    following = start + FLIPS_SHOWN
    return visit.page(
        "promotions/answers.html",
        adapter=found.promotion.adapter,
        answers=answers_shown.answers(visit, shown),
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
    """Every answer that may be shown, searched and filtered; the next page begins after the last item of this one."""
    full_id = views.show_promotion(visit.b, adapter).adapter
    given = {**dict.fromkeys((*evidence.FILTERS, "after"), ""), **visit.request.query_params}
    choices = evidence.choices(visit)
    for name, known in choices.items():
        values.one_of(given, name, [one for one, _ in known])
    size = visit.site.settings.page_size
    found = pipeline.list_answers(visit.b, full_id, evidence.wanted(given))
    places = {one.item: number for number, one in enumerate(found, 1)}
    start = places.get(given["after"], 0)
    shown = found[start : start + size]
    path = f"/promotions/{full_id}/answers/all"
    return visit.page(
        "promotions/all_answers.html",
        adapter=full_id,
        answers=evidence.answers(visit, shown),
        count=len(found),
        given=given,
        choices=choices,
        first_page=evidence.page_path(path, given) if start else "",
        next_page=evidence.page_path(path, given, after=shown[-1].item) if start + size < len(found) else "",
    )


@router.get("/{adapter}/data")
def data(visit: Contributor, adapter: str) -> Response:
    """Records that the candidate learned and its champion had not, and the reverse."""
    given = {**dict.fromkeys(("kind", "before"), ""), **visit.request.query_params}
    size = visit.site.settings.page_size
    found = pipeline.data_changes_of(visit.b, adapter, size + 1, before=given["before"], kind=given["kind"])
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
