"""Tell records: the form, several in a row, and what Bonsai makes of one while it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from bonsai import pipeline
from bonsai.dashboard.records import shown as pages
from bonsai.dashboard.web import Contributor, Form, Visit
from bonsai.dashboard.words import reason_of, reject_words
from bonsai.pipeline.records import suggesting
from bonsai.pipeline.records.suggesting import Suggestion
from bonsai.records import Defaults, Limits, Origin, Reject, Status, parse

router = APIRouter()
FIELDS = ("instruction", "output", "input", "subject", "happened_on", "feeling", "language", "category")
KEPT = ("subject", "happened_on")
"What stays in the form for the next record: several are often told about one."
TAGS = ("language", "category")
MOST_TOLD = 8
"Of the records told in a row that are shown; the address names them, so that no session has to."


@dataclass(frozen=True, slots=True)
class Told:
    """One of the records told in a row."""

    question: str
    path: str
    "Of the record; empty while there is none."
    kind: str
    "Colours the state."
    state: str
    tags: str
    why: str
    "Why it does not train."


@router.get("/records/new")
def ask(visit: Contributor) -> Response:
    """An empty form, or one that begins as the address says."""
    return _form(visit, visit.request.query_params)


def _form(visit: Visit, given: Mapping[str, str], problem: str = "") -> Response:
    told = _told(given)
    recent = _recent(visit, told)
    return visit.page(
        "records/new.html",
        422 if problem else 200,
        given={name: given.get(name, "") for name in FIELDS},
        problem=problem,
        languages=pages.languages(visit),
        categories=pages.categories(visit),
        today=visit.now.astimezone().date().isoformat(),
        told=",".join(told),
        recent=recent,
        waiting=any(one.kind == "waiting" for one in recent),
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
    told = ",".join([submission, *_told(form)][:MOST_TOLD])
    return visit.go("/records/new", "add", **kept, told=told)


@router.post("/suggest")
def suggest(visit: Contributor, form: Form) -> Response:
    """For the form's script: the tags as Bonsai would give them, other likely ones, and what this would repeat."""
    found = suggesting.suggest(visit.b, form, visit.site.tagger())
    if found is None:
        return JSONResponse({})
    told = {name: getattr(found.tags, name) for name in ("language", "category")}
    return JSONResponse(
        {
            **{name: pages.tag_words(visit, name, tag.value) for name, tag in told.items()},
            "likely": [[one, pages.tag_words(visit, "category", one)] for one in found.likely],
            "before": _before(visit, found),
        }
    )


def _before(visit: Visit, found: Suggestion) -> dict[str, str] | None:
    """What it would repeat or contradict, in words, and where that stands."""
    kinds = (
        ("exact", (found.exact,) if found.exact else ()),
        ("contradicts", found.contradicts),
        ("near", found.near),
    )
    for kind, records in kinds:
        if records:
            stored = records[0]
            words = visit.text(f"entering.before_{kind}", answer=pages.cut(stored.record.output))
            forgotten = stored.status is Status.FORGOTTEN
            words = visit.text("entering.before_forgotten") if forgotten else words
            return {"words": words, "path": f"/records/{stored.record.id}", "link": visit.text("entering.look_at_it")}
    return None


def _told(given: Mapping[str, str]) -> list[str]:
    """Ids of the submissions that the form's address names."""
    return [one for one in given.get("told", "").split(",") if one][:MOST_TOLD]


def _recent(visit: Visit, told: Sequence[str]) -> list[Told]:
    """How far each is, in words."""
    return [_one_told(visit, one) for one in pipeline.follow(visit.b, told) if one.state != "gone"]


def _one_told(visit: Visit, one: pipeline.Followed) -> Told:
    stored = one.stored
    path = f"/records/{stored.record.id}" if stored else ""
    words = visit.text(f"entering.told_{one.state}")
    kind = "waiting" if one.state == "waiting" else ""
    if stored and one.state == "stored":
        words, kind = visit.text(f"status_{stored.status}"), stored.status.value
    why = reason_of(visit, stored) if stored and stored.status is not Status.ACTIVE else ""
    why = reject_words(visit, one.reject) if one.reject else why
    tags = ""
    if stored:
        tags = visit.text("comma").join(pages.tag_words(visit, name, getattr(stored.tags, name).value) for name in TAGS)
    return Told(pages.cut(one.question), path, kind, words, tags, why)
