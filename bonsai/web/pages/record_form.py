"""Pages to add and edit a record: the form, suggestions while typing, and versions."""

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

KEPT = ("subject",)
"Fields kept for the next record: people often add several about one subject, but a day is that of one event."
MAX_RECENT = 8
"Recent submissions shown under the form; their ids are in the address, so no session is needed."


@dataclass(frozen=True, slots=True)
class RecentSubmission:
    """A record that was just submitted."""

    question: str
    path: str
    "Of the stored record; empty until it is stored."
    kind: str
    "CSS class of the state."
    state: str
    tags: str
    why: str
    "Why it does not train."


@router.get("/records/new")
def ask(visit: Contributor) -> Response:
    """The form, prefilled from the query string."""
    return _form(visit, visit.request.query_params)


def _form(visit: Visit, given: Mapping[str, str], problem: str = "") -> Response:
    submissions = _submission_ids(given)
    recent = _recent(visit, submissions)
    return visit.page(
        "records/new.html",
        422 if problem else 200,
        given={name: given.get(name, "") for name in EDITED},
        problem=problem,
        languages=pages.languages(visit),
        categories=pages.categories(visit),
        today=visit.now.astimezone().date().isoformat(),
        told=",".join(submissions),
        recent=recent,
        waiting=any(one.kind == "waiting" for one in recent),
    )


@router.post("/records")
def add(visit: Contributor, form: Form) -> Response:
    """Submit to the inbox, which needs no database; an invalid record is refused at once."""
    fields = {name: form[name] for name in EDITED if form.get(name, "").strip()}
    fields |= {"source": "self", "author": visit.who}
    made = parse(fields, Origin("form"), Defaults(source="self"), visit.b.config.records)
    if isinstance(made, Reject):
        return _form(visit, form, reject_reason(visit, made))
    submission = submit(visit.b, fields, visit.now)
    visit.noted("add", submission)
    visit.site.drain()
    kept = {name: form[name] for name in KEPT if form.get(name)}
    submissions = ",".join([submission, *_submission_ids(form)][:MAX_RECENT])
    return visit.go("/records/new", "add", **kept, told=submissions)


@router.post("/suggest")
def suggest(visit: Contributor, form: Form) -> Response:
    """For the form's script: suggested tags, other likely categories, and records that this one would repeat."""
    found = suggestions.suggest(visit.b, form, visit.site.tagger())
    if found is None:
        return JSONResponse({})
    tags = {name: getattr(found.tags, name) for name in EDITED_TAGS}
    return JSONResponse(
        {
            **{name: pages.tag_words(visit, name, tag.value) for name, tag in tags.items()},
            "likely": [[one, pages.tag_words(visit, "category", one)] for one in found.likely],
            "before": _before(visit, found),
        }
    )


def _before(visit: Visit, found: Suggestion) -> dict[str, str] | None:
    """The record that it would repeat or contradict: a sentence and a link."""
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


def _submission_ids(given: Mapping[str, str]) -> list[str]:
    """Submission ids in the query string or the form."""
    return [one for one in given.get("told", "").split(",") if one][:MAX_RECENT]


def _recent(visit: Visit, submissions: Sequence[str]) -> list[RecentSubmission]:
    """State of each submission, localised."""
    return [_recent_submission(visit, one) for one in submission_status(visit.b, submissions) if one.state != "gone"]


def _recent_submission(visit: Visit, one: SubmissionStatus) -> RecentSubmission:
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
    return RecentSubmission(pages.shorten(one.question), path, kind, words, tags, why)


REFUSALS = (ConflictError, UsageError, LockTimeout)


@dataclass(frozen=True, slots=True)
class Step:
    """One edit: what it changed, when and by whom."""

    number: int
    "Of the version before the edit; 1 is the oldest."
    at: datetime
    who: str
    changes: tuple[Difference, ...]
    "Before, and after."
    restorable: bool


@router.get("/records/{record_id}/edit")
def edit(visit: Reviewer, record_id: str) -> Response:
    """The form with the record's current content."""
    stored = show_record(visit.b, record_id).stored
    if stored.replaced_by:
        return visit.go(f"/records/{stored.replaced_by}/edit")
    return _edit_form(visit, stored, fields_of(stored))


@router.post("/records/{record_id}/edit")
def save(visit: Reviewer, record_id: str, form: Form) -> Response:
    """Save, unless somebody else edited it meanwhile."""
    changes = {name: form[name] for name in EDITED if name in form}
    try:
        made = edit_record(visit.b, record_id, changes, visit.who, visit.now, form.get("seen", ""))
    except REFUSALS as error:
        return _refused(visit, record_id, form, error)
    visit.noted("edit", made)
    return visit.go(f"/records/{made}", "edit")


@router.get("/records/{record_id}/versions")
def versions(visit: Contributor, record_id: str) -> Response:
    """Every edit, newest first, with its changes marked."""
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
    """Restore the version before an edit; this is an edit too, and can be undone."""
    number = problems.number(form, "number", 0)
    made = restore_version(visit.b, record_id, number, visit.who, visit.now, form.get("seen", ""))
    visit.noted("restore", made)
    return visit.go(f"/records/{made}/versions", "restore")


def _refused(visit: Visit, record_id: str, form: Mapping[str, str], error: BonsaiError) -> Response:
    """The form with what was typed, and the newest version beside it after a conflict."""
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
