"""Tell records: the form, several in a row, and what Bonsai makes of one while it is written."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from bonsai import pipeline
from bonsai.dashboard.records import shown as pages
from bonsai.dashboard.web import Contributor, Form, Visit
from bonsai.dashboard.words import reject_words
from bonsai.pipeline.suggesting import suggest_tags
from bonsai.records import Defaults, Limits, Origin, Reject, parse

router = APIRouter()
FIELDS = ("instruction", "output", "input", "subject", "happened_on", "feeling", "language", "category")
KEPT = ("subject", "happened_on")
"What stays in the form for the next record: several are often told about one."


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
        return _form(visit, form, reject_words(visit, made))
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
