"""A record's form filled in again, what it was before each edit, and the way back.

Nothing typed is lost: a text that cannot be saved (somebody else was faster, the database is busy, it makes no record)
comes back in the form, beside what the record says now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from starlette.responses import Response

from bonsai import pipeline, views
from bonsai.dashboard import values
from bonsai.dashboard.differences import Difference, difference
from bonsai.dashboard.records import shown as pages
from bonsai.dashboard.web import Contributor, Form, Reviewer, Visit, problem_of
from bonsai.errors import BonsaiError, ConflictError, LockTimeout, UsageError
from bonsai.pipeline.records.editing import EDITABLE, fields_of, stamp, version_fields
from bonsai.records import Status, normalise
from bonsai.views import RecordDetail
from storage.record_rows import StoredRecord

router = APIRouter()
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
    stored = views.show_record(visit.b, record_id).stored
    if stored.replaced_by:
        return visit.go(f"/records/{stored.replaced_by}/edit")
    return _form(visit, stored, fields_of(stored))


@router.post("/records/{record_id}/edit")
def save(visit: Reviewer, record_id: str, form: Form) -> Response:
    """Save it, unless somebody else was faster."""
    changes = {name: form[name] for name in EDITABLE if name in form}
    try:
        made = pipeline.edit_record(visit.b, record_id, changes, visit.who, visit.now, form.get("seen", ""))
    except REFUSALS as error:
        return _refused(visit, record_id, form, error)
    visit.noted("edit", made)
    return visit.go(f"/records/{made}", "edit")


@router.get("/records/{record_id}/versions")
def versions(visit: Contributor, record_id: str) -> Response:
    """Every edit, the newest first, with what it changed marked."""
    found = views.show_record(visit.b, record_id)
    stored = found.stored
    return visit.page(
        "records/versions.html",
        stored=stored,
        steps=list(_steps(visit, found))[::-1],
        seen=stamp(stored),
        may_restore=not stored.gone and visit.person is not None and visit.person.may("reviewer"),
    )


@router.post("/records/{record_id}/restore")
def restore(visit: Reviewer, record_id: str, form: Form) -> Response:
    """Make it what it was before an edit; that is an edit too, and can be taken back."""
    number = values.number(form, "number", 0)
    made = pipeline.restore_version(visit.b, record_id, number, visit.who, visit.now, form.get("seen", ""))
    visit.noted("restore", made)
    return visit.go(f"/records/{made}/versions", "restore")


def _refused(visit: Visit, record_id: str, form: Mapping[str, str], error: BonsaiError) -> Response:
    """The form again with what was typed; the newest version beside it when that is another one."""
    try:
        stored = views.show_record(visit.b, record_id).stored
        while stored.replaced_by:
            stored = views.show_record(visit.b, stored.replaced_by).stored
    except LockTimeout:
        raise error from None
    return _form(visit, stored, form, error)


def _form(visit: Visit, stored: StoredRecord, given: Mapping[str, str], error: BonsaiError | None = None) -> Response:
    now = fields_of(stored)
    typed = {name: given.get(name, now[name]) for name in EDITABLE}
    forgotten = stored.status is Status.FORGOTTEN
    conflict = isinstance(error, ConflictError) and not forgotten
    return visit.page(
        "records/edit.html",
        problem_of(error) if error else 200,
        stored=stored,
        given=typed,
        # after a conflict the person has seen both: saving again overwrites what they saw, and nothing newer
        seen=stamp(stored) if conflict or not error else given.get("seen", ""),
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
        for name in EDITABLE
        if normalise(one.get(name, "")) != normalise(other.get(name, ""))
    ]


def _words(visit: Visit, name: str, value: str) -> str:
    return pages.tag_words(visit, name, value) if value and name in ("language", "category") else value


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
