"""Record pages: filtered list, export, bulk actions, single records."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from bonsai.actions.edit import exclude_records, release_records
from bonsai.actions.forget import forget_records
from bonsai.actions.maintenance import stream_records
from bonsai.actions.tag import tag_records
from bonsai.domain.record_fields import EDITED_TAGS
from bonsai.domain.records import SOURCES, Status
from bonsai.queries.records import inbox_status, page_of_records, show_record
from bonsai.web.labels import FILTERS, status_reason
from bonsai.web.presenters import records as pages
from bonsai.web.problems import Problem, require_confirmation
from bonsai.web.request import Contributor, Form, Reviewer, Visit
from storage.tables.records_table import SORTS

router = APIRouter()

CHOSEN = re.compile(r"[0-9a-f]{64}")
"Checkbox name: the record's id."
RARER = ("language", "category", "status", "source", "author", "since", "until", "uncertain", "reason")
"Filters that are folded up until used."


@router.get("/records")
def browse(visit: Contributor) -> Response:
    """The next page begins after this one's last record, so that new records shift nothing."""
    given = {**dict.fromkeys((*FILTERS, "reason", "uncertain", "snapshot"), ""), **visit.request.query_params}
    record_filter, sort = pages.filter_of(given), pages.sort_of(given)
    size = visit.site.settings.page_size
    found = page_of_records(visit.b, record_filter, size, given.get("before", ""), sort)
    return visit.page(
        "records/list.html",
        rows=pages.rows(visit, found.records),
        given=given,
        sort=sort,
        sorts=[(one, visit.text(f"curating.sort_{one}")) for one in SORTS],
        more_filters=any(given[name] for name in RARER),
        next_page=pages.page_path(given, found.rest) if found.rest else "",
        searched_all=found.searched_all,
        first_page=pages.page_path(given, "") if given.get("before") else "",
        export=f"/records/export?{urlencode(pages.list_parameters(given))}" if not record_filter.text else "",
        here=urlencode(pages.list_parameters(given)),
        languages=pages.languages(visit),
        categories=pages.categories(visit),
        statuses=pages.statuses(visit),
        sources=[(one, visit.text(f"curating.source_{one}")) for one in SOURCES],
        inbox=inbox_status(visit.b).pending,
        may_decide=visit.person is not None and visit.person.may("reviewer"),
    )


@router.get("/records/export")
def export(visit: Contributor) -> Response:
    """The list as JSON Lines, which `bonsai records import` can read."""
    record_filter = pages.filter_of(visit.request.query_params)
    if record_filter.text:
        raise Problem(422, "problem_no_export")
    lines = stream_records(visit.b, record_filter)
    first = next(lines, "")  # report a busy database before the file begins
    return StreamingResponse(
        chain([first], lines),
        media_type="application/jsonl",
        headers={"Content-Disposition": 'attachment; filename="records.jsonl"'},
    )


@router.post("/records/many")
def decide_chosen(visit: Reviewer, form: Form) -> Response:
    """Apply one action to all selected records, or to none."""
    chosen = [name for name in form if CHOSEN.fullmatch(name)]
    if not chosen:
        raise Problem(422, "problem_none_chosen")
    _do(visit, chosen, form)
    for one in chosen:
        visit.noted(form["action"], one)
    kept = {name: value for name, value in parse_qsl(form.get("here", "")) if name != "before"}
    return visit.go("/records", "many", **pages.list_parameters(kept))


def _do(visit: Visit, chosen: list[str], form: Mapping[str, str]) -> None:
    match form.get("action"):
        case "tag":
            said = {name: form[name] for name in EDITED_TAGS if form.get(name)}
            if not said:
                raise Problem(422, "problem_no_tag")
            tag_records(visit.b, chosen, said, visit.who, visit.now)
        case "release":
            release_records(visit.b, chosen, visit.who, visit.now)
        case "exclude":
            exclude_records(visit.b, chosen, visit.who, visit.now)
        case "forget":
            require_confirmation(form, len(chosen))
            forget_records(visit.b, chosen, visit.who, visit.now, here=False)
            visit.site.drain()
        case _:
            raise Problem(404, "problem_no_record_action")


RELEASABLE = (Status.HELD_BACK, Status.SUSPECT, Status.EXCLUDED)


@router.get("/records/{record_id}")
def show(visit: Contributor, record_id: str) -> Response:
    """One record: texts, tags, versions, adapters trained on it."""
    found = show_record(visit.b, record_id)
    stored = found.stored
    return visit.page(
        "records/record.html",
        stored=stored,
        record=stored.record,
        reason=status_reason(visit, stored),
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
    """Forget, release or exclude."""
    record = show_record(visit.b, record_id).stored.record.id
    match action:
        case "forget":
            require_confirmation(form, 1)
            forget_records(visit.b, [record], visit.who, visit.now, here=False)
            visit.site.drain()
        case "release":
            release_records(visit.b, [record], visit.who, visit.now)
        case "exclude":
            exclude_records(visit.b, [record], visit.who, visit.now)
        case _:
            raise Problem(404, "problem_no_record_action")
    visit.noted(action, record)
    return visit.go(f"/records/{record}", action)
