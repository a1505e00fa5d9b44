"""Keyboard tagging of uncertain records, one per screen.

Every key is a button, so that the page works without script and with any input device; `tagging.js` presses them. Keys
act only while the form has focus (WCAG 2.2, 2.1.4), which it has when the page opens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from bonsai.actions.tag import next_uncertain, tag_record, undo_tags
from bonsai.domain.records import LANGUAGES
from bonsai.web.labels import CATEGORIES
from bonsai.web.presenters import records as pages
from bonsai.web.request import Form, Reviewer

router = APIRouter()
LANGUAGE_KEYS = {"ja": "j", "en": "e", "zh": "z", "other": "o"}


@dataclass(frozen=True, slots=True)
class Choice:
    """A button or radio button with its key."""

    value: str
    words: str
    key: str
    chosen: bool


@router.get("/tagging")
def queue(visit: Reviewer) -> Response:
    """The next record `after` one, or the record `at`; `done` counts those tagged in this session."""
    given = visit.request.query_params
    after, at = given.get("after", ""), given.get("at", "")
    found = next_uncertain(visit.b, visit.site.tagger(), after, at)
    tagged = _number(given.get("tagged", ""))
    stored = found.stored
    if stored is None:
        return visit.page("records/tagging_end.html", left=found.left, tagged=tagged, undo=_undo(given))
    suggested = found.categories[0] if found.categories else ""
    return visit.page(
        "records/tagging.html",
        stored=stored,
        record=stored.record,
        left=found.left,
        tagged=tagged,
        categories=[
            Choice(one, visit.text(f"category_{one}"), str(number), one == suggested)
            for number, one in enumerate(CATEGORIES, 1)
        ],
        suggested=visit.text(f"category_{suggested}") if suggested in CATEGORIES else "",
        suggested_value=suggested if suggested in CATEGORIES else "",
        languages=[
            Choice(one, words, LANGUAGE_KEYS[one], one == stored.tags.language.value)
            for one, words in pages.languages(visit)
        ],
        tags=pages.tags_shown(visit, stored.tags),
        skip=_path(after=stored.record.id, tagged=tagged),
        back=_path(at=found.before, tagged=tagged) if found.before else "",
        undo=_undo(given),
    )


@router.post("/tagging")
def tag(visit: Reviewer, form: Form) -> Response:
    """Set both tags, then show the next record."""
    record = form.get("record", "")
    language = form.get("language") if form.get("language") in LANGUAGES else None
    kept = tag_record(
        visit.b, record, language=language, category=form.get("category") or None, by=visit.who, now=visit.now
    )
    visit.noted("tag", record)
    return visit.go("/tagging", after=record, undo=f"{record}.{kept}", tagged=str(_number(form.get("tagged", "")) + 1))


@router.post("/tagging/undo")
def undo(visit: Reviewer, form: Form) -> Response:
    """Restore the previous tags and show the record again."""
    record, _, number = form.get("undo", "").partition(".")
    undo_tags(visit.b, record, _number(number), visit.who, visit.now)
    visit.noted("untag", record)
    return visit.go("/tagging", "undo", at=record, tagged=str(max(_number(form.get("tagged", "")) - 1, 0)))


def _path(**given: object) -> str:
    return f"/tagging?{urlencode({name: value for name, value in given.items() if value})}"


def _number(said: str) -> int:
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 7 else 0


def _undo(given: Mapping[str, str]) -> str:
    said = given.get("undo", "")
    record, _, number = said.partition(".")
    return said if record.isalnum() and number.isdecimal() else ""
