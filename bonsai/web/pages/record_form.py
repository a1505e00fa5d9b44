"""Tell records: the form, several in a row, and what Bonsai makes of one while it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from bonsai.actions.edit import edit_record, restore_version
from bonsai.actions.inbox import submit
from bonsai.domain.characters import normalise
from bonsai.domain.record_fields import EDITED, EDITED_TAGS
from bonsai.domain.records import Defaults, Origin, Reject, Status, parse
from bonsai.errors import BonsaiError, ConflictError, LockTimeout, UsageError
from bonsai.queries import suggestions
from bonsai.queries.records import RecordDetail, SubmissionStatus, show_record, submission_status
from bonsai.queries.suggestions import Suggestion
from bonsai.web import problems
from bonsai.web.differences import Difference, difference
from bonsai.web.labels import reject_reason, status_reason
from bonsai.web.presenters import records as pages
from bonsai.web.request import Contributor, Form, Reviewer, Visit, problem_of
from storage.tables.record_rows import StoredRecord, etag, fields_of
from storage.tables.record_versions_table import version_fields

router = APIRouter()

KEPT = ("subject", "happened_on")
"What stays in the form for the next record: several are often told about one."
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
        given={name: given.get(name, "") for name in EDITED},
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
    fields = {name: form[name] for name in EDITED if form.get(name, "").strip()}
    fields |= {"source": "self", "author": visit.who}
    made = parse(fields, Origin("form"), Defaults(source="self"), visit.b.config.records)
    if isinstance(made, Reject):
        return _form(visit, form, reject_reason(visit, made))
    submission = submit(visit.b, fields, visit.now)
    visit.noted("add", submission)
    visit.site.drain()
    kept = {name: form[name] for name in KEPT if form.get(name)}
    told = ",".join([submission, *_told(form)][:MOST_TOLD])
    return visit.go("/records/new", "add", **kept, told=told)


@router.post("/suggest")
def suggest(visit: Contributor, form: Form) -> Response:
    """For the form's script: the tags as Bonsai would give them, other likely ones, and what this would repeat."""
    found = suggestions.suggest(visit.b, form, visit.site.tagger())
    if found is None:
        return JSONResponse({})
    told = {name: getattr(found.tags, name) for name in EDITED_TAGS}
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
            words = visit.text(f"entering.before_{kind}", answer=pages.shorten(stored.record.output))
            forgotten = stored.status is Status.FORGOTTEN
            words = visit.text("entering.before_forgotten") if forgotten else words
            return {"words": words, "path": f"/records/{stored.record.id}", "link": visit.text("entering.look_at_it")}
    return None


def _told(given: Mapping[str, str]) -> list[str]:
    """Ids of the submissions that the form's address names."""
    return [one for one in given.get("told", "").split(",") if one][:MOST_TOLD]


def _recent(visit: Visit, told: Sequence[str]) -> list[Told]:
    """How far each is, in words."""
    return [_one_told(visit, one) for one in submission_status(visit.b, told) if one.state != "gone"]


def _one_told(visit: Visit, one: SubmissionStatus) -> Told:
    stored = one.stored
    path = f"/records/{stored.record.id}" if stored else ""
    words = visit.text(f"entering.told_{one.state}")
    kind = "waiting" if one.state == "waiting" else ""
    if stored and one.state == "stored":
        words, kind = visit.text(f"status_{stored.status}"), stored.status.value
    why = status_reason(visit, stored) if stored and stored.status is not Status.ACTIVE else ""
    why = reject_reason(visit, one.reject) if one.reject else why
    tags = ""
    if stored:
        tags = visit.text("comma").join(
            pages.tag_words(visit, name, getattr(stored.tags, name).value) for name in EDITED_TAGS
        )
    return Told(pages.shorten(one.question), path, kind, words, tags, why)


REFUSALS = (ConflictError, UsageError, LockTimeout)


@dataclass(frozen=True, slots=True)
class Step:
    """One edit: what it changed, when and by whom."""

    number: int
    "Of the version that was there before it; 1 is the oldest."
    at: datetime
    who: str
    changes: tuple[Difference, ...]
    "Before, and after."
    restorable: bool


@router.get("/records/{record_id}/edit")
def edit(visit: Reviewer, record_id: str) -> Response:
    """The form, filled in with what the record says now."""
    stored = show_record(visit.b, record_id).stored
    if stored.replaced_by:
        return visit.go(f"/records/{stored.replaced_by}/edit")
    return _edit_form(visit, stored, fields_of(stored))


@router.post("/records/{record_id}/edit")
def save(visit: Reviewer, record_id: str, form: Form) -> Response:
    """Save it, unless somebody else was faster."""
    changes = {name: form[name] for name in EDITED if name in form}
    try:
        made = edit_record(visit.b, record_id, changes, visit.who, visit.now, form.get("seen", ""))
    except REFUSALS as error:
        return _refused(visit, record_id, form, error)
    visit.noted("edit", made)
    return visit.go(f"/records/{made}", "edit")


@router.get("/records/{record_id}/versions")
def versions(visit: Contributor, record_id: str) -> Response:
    """Every edit, the newest first, with what it changed marked."""
    found = show_record(visit.b, record_id)
    stored = found.stored
    return visit.page(
        "records/versions.html",
        stored=stored,
        steps=list(_steps(visit, found))[::-1],
        seen=etag(stored),
        may_restore=not stored.gone and visit.person is not None and visit.person.may("reviewer"),
    )


@router.post("/records/{record_id}/restore")
def restore(visit: Reviewer, record_id: str, form: Form) -> Response:
    """Make it what it was before an edit; that is an edit too, and can be taken back."""
    number = problems.number(form, "number", 0)
    made = restore_version(visit.b, record_id, number, visit.who, visit.now, form.get("seen", ""))
    visit.noted("restore", made)
    return visit.go(f"/records/{made}/versions", "restore")


def _refused(visit: Visit, record_id: str, form: Mapping[str, str], error: BonsaiError) -> Response:
    """The form again with what was typed; the newest version beside it when that is another one."""
    try:
        stored = show_record(visit.b, record_id).stored
        while stored.replaced_by:
            stored = show_record(visit.b, stored.replaced_by).stored
    except LockTimeout:
        raise error from None
    return _edit_form(visit, stored, form, error)


def _edit_form(
    visit: Visit, stored: StoredRecord, given: Mapping[str, str], error: BonsaiError | None = None
) -> Response:
    now = fields_of(stored)
    typed = {name: given.get(name, now[name]) for name in EDITED}
    forgotten = stored.status is Status.FORGOTTEN
    conflict = isinstance(error, ConflictError) and not forgotten
    return visit.page(
        "records/edit.html",
        problem_of(error) if error else 200,
        stored=stored,
        given=typed,
        # after a conflict the person has seen both: saving again overwrites what they saw, and nothing newer
        seen=etag(stored) if conflict or not error else given.get("seen", ""),
        problem=visit.words_of(error) if error else "",
        theirs=list(_differing(visit, typed, now)) if conflict else [],
        forgotten=forgotten,
        languages=pages.languages(visit),
        categories=pages.categories(visit),
        today=visit.now.astimezone().date().isoformat(),
    )


def _differing(visit: Visit, one: Mapping[str, str], other: Mapping[str, str]) -> list[Difference]:
    return [
        difference(name, _words(visit, name, one[name]), _words(visit, name, other[name]))
        for name in EDITED
        if normalise(one.get(name, "")) != normalise(other.get(name, ""))
    ]


def _words(visit: Visit, name: str, value: str) -> str:
    return pages.tag_words(visit, name, value) if value and name in EDITED_TAGS else value


def _steps(visit: Visit, found: RecordDetail) -> list[Step]:
    """Oldest first; each version against the one after it."""
    said = [version_fields(one) for one in found.versions]
    after = [*said, fields_of(found.stored)][1:]
    return [
        Step(
            number,
            one.edited_at,
            one.edited_by,
            tuple(_differing(visit, before, now)) if before and now else (),
            restorable=bool(before) and before != fields_of(found.stored),
        )
        for number, (one, before, now) in enumerate(zip(found.versions, said, after, strict=True), 1)
    ]
