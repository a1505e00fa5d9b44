"""One record: look at it, forget it, let it train or keep it from training."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from bonsai import pipeline, views
from bonsai.dashboard.problems import require_sure
from bonsai.dashboard.records import shown as pages
from bonsai.dashboard.web import Contributor, Form, Problem, Reviewer
from bonsai.dashboard.words import reason_of
from bonsai.records import Status

router = APIRouter()
RELEASABLE = (Status.HELD_BACK, Status.SUSPECT, Status.EXCLUDED)


@router.get("/records/{record_id}")
def show(visit: Contributor, record_id: str) -> Response:
    """One record: texts, tags, versions, the adapters that learned from it."""
    found = views.show_record(visit.b, record_id)
    stored = found.stored
    return visit.page(
        "records/record.html",
        stored=stored,
        record=stored.record,
        reason=reason_of(visit, stored),
        tags=pages.tags_shown(visit, stored.tags),
        notes=list(pages.notes(visit, stored)),
        timeline=f"/timeline?{urlencode({'subject': stored.record.subject})}" if stored.record.subject else "",
        versions=len(found.versions),
        adapters=found.adapters,
        may_decide=not stored.gone and visit.person is not None and visit.person.may("reviewer"),
        releasable=stored.status in RELEASABLE,
    )


@router.post("/records/{record_id}/{action}")
def decide(visit: Reviewer, record_id: str, action: str, form: Form) -> Response:
    """Forget for good, let train, keep from training."""
    record = views.show_record(visit.b, record_id).stored.record.id
    match action:
        case "forget":
            require_sure(form, 1)
            pipeline.forget_records(visit.b, [record], visit.who, visit.now, here=False)
            visit.site.drain()
        case "release":
            pipeline.release_records(visit.b, [record], visit.who, visit.now)
        case "exclude":
            pipeline.exclude_records(visit.b, [record], visit.who, visit.now)
        case _:
            raise Problem(404, "problem_no_record_action")
    visit.noted(action, record)
    return visit.go(f"/records/{record}", action)
