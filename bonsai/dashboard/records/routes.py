"""Records: tell one, browse, look at one, forget; and the lines that became none."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from bonsai import overview, pipeline, views
from bonsai.dashboard.records import shown as pages
from bonsai.dashboard.web import Contributor, Form, Problem, Reviewer, Visit
from bonsai.dashboard.words import FILTERS, reason_of
from bonsai.pipeline.suggesting import suggest_tags
from bonsai.records import Defaults, Limits, Origin, Reject, Status, parse

router = APIRouter()
FIELDS = ("instruction", "output", "input", "subject", "happened_on", "feeling", "language", "category")
KEPT = ("subject", "happened_on")
"What stays in the form for the next record: several are often told about one."
MOST_REJECTS = 100
RELEASABLE = (Status.HELD_BACK, Status.SUSPECT, Status.EXCLUDED)


@router.get("/records")
def browse(visit: Contributor) -> Response:
    """Newest first; the next page begins after the last id of this one, so that new records shift nothing."""
    given = {**dict.fromkeys(FILTERS, ""), **visit.request.query_params}
    size = visit.site.settings.page_size
    found = overview.page_of_records(visit.b, pages.filter_of(given), size + 1, given.get("before", ""))
    shown = found[:size]
    return visit.page(
        "records/list.html",
        rows=pages.rows(visit, shown),
        given=given,
        next_page=pages.page_path(given, shown[-1].record.id) if len(found) > size else "",
        first_page=pages.page_path(given, "") if given.get("before") else "",
        languages=pages.languages(visit),
        categories=pages.categories(visit),
        statuses=pages.statuses(visit),
        inbox=views.inbox_status(visit.b).pending,
    )


@router.get("/records/new")
def ask(visit: Contributor) -> Response:
    """An empty form, or one that begins as the address says."""
    return _form(visit, visit.request.query_params)


def _form(visit: Visit, given: Mapping[str, str], problem: str = "") -> Response:
    return visit.page(
        "records/new.html",
        422 if problem else 200,
        given={name: given.get(name, "") for name in FIELDS},
        problem=problem,
        languages=pages.languages(visit),
        categories=pages.categories(visit),
        today=visit.now.astimezone().date().isoformat(),
    )


@router.post("/records")
def add(visit: Contributor, form: Form) -> Response:
    """Into the inbox, which needs no database; what can never become a record is said at once."""
    fields = {name: form[name] for name in FIELDS if form.get(name, "").strip()}
    fields |= {"source": "self", "author": visit.who}
    made = parse(fields, Origin("form"), Defaults(source="self"), Limits(**visit.b.config.records.model_dump()))
    if isinstance(made, Reject):
        return _form(visit, form, pages.reject_words(visit, made))
    submission = pipeline.submit(visit.b, fields, visit.now)
    visit.noted("add", submission)
    visit.site.drain()
    kept = {name: form[name] for name in KEPT if form.get(name)}
    return visit.go("/records/new", "add", **kept)


@router.post("/suggest")
def suggest(visit: Contributor, form: Form) -> Response:
    """Language and category as Bonsai would tag them, for the form's script."""
    found = suggest_tags(visit.b, form, visit.site.tagger())
    if found is None:
        return JSONResponse({})
    told = {name: getattr(found, name) for name in ("language", "category")}
    return JSONResponse({name: pages.tag_words(visit, name, tag.value) for name, tag in told.items()})


@router.get("/records/{record_id}")
def show(visit: Contributor, record_id: str) -> Response:
    """One record: texts, tags, versions, the adapters that learned from it."""
    found = views.show_record(visit.b, record_id)
    stored = found.stored
    gone = stored.status is Status.FORGOTTEN or bool(stored.replaced_by)
    return visit.page(
        "records/record.html",
        stored=stored,
        record=stored.record,
        reason=reason_of(visit, stored),
        tags=pages.tags_shown(visit, stored.tags),
        notes=list(pages.notes(visit, stored)),
        versions=pages.earlier(found.versions),
        adapters=found.adapters,
        may_decide=not gone and visit.person is not None and visit.person.may("reviewer"),
        releasable=stored.status in RELEASABLE,
    )


@router.post("/records/{record_id}/{action}")
def decide(visit: Reviewer, record_id: str, action: str, form: Form) -> Response:
    """Forget for good, let train, keep from training."""
    record = views.show_record(visit.b, record_id).stored.record.id
    match action:
        case "forget":
            if form.get("sure") != "yes":
                raise Problem(422, "problem_not_sure")
            pipeline.forget_records(visit.b, [record], visit.who, visit.now)
        case "release":
            pipeline.release_records(visit.b, [record], visit.who, visit.now)
        case "exclude":
            pipeline.exclude_records(visit.b, [record], visit.who, visit.now)
        case _:
            raise Problem(404, "problem_no_record_action")
    visit.noted(action, record)
    return visit.go(f"/records/{record}", action)


@router.get("/rejects")
def rejects(visit: Contributor) -> Response:
    """What could not become a record, with its raw line."""
    found = views.list_rejects(visit.b, MOST_REJECTS + 1)
    shown = [pages.reject_shown(visit, one) for one in found[:MOST_REJECTS]]
    return visit.page("records/rejects.html", rejects=shown, more=len(found) > MOST_REJECTS)
