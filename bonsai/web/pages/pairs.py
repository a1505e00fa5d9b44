"""Pair pages: contradictions and near duplicates side by side, decisions, undo."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from bonsai.actions.resolve import reopen_pair, resolve_pair
from bonsai.domain.records import KEEPS, PAIR_KINDS, PairKind
from bonsai.queries.records import decided_pairs, pair_counts, waiting_pairs
from bonsai.web import problems
from bonsai.web.differences import Marked, mark_differences
from bonsai.web.labels import status_reason
from bonsai.web.presenters import records as pages
from bonsai.web.request import Contributor, Form, Reviewer, Visit
from storage.tables.record_rows import StoredRecord
from storage.tables.settled_pairs_table import WaitingPair

router = APIRouter()
ON_A_PAGE = 10
ID = re.compile("[0-9a-f]{64}")
NOTES = ("subject", "happened_on", "feeling", "author")


@dataclass(frozen=True, slots=True)
class Side:
    """One record of a pair."""

    stored: StoredRecord
    question: Marked
    answer: Marked
    notes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PairShown:
    """A waiting record and its counterparts."""

    waiting: WaitingPair
    this: Side
    others: tuple[Side, ...]
    reason: str
    seen: str
    "Ids of the counterparts, for the form: a decision on other texts is refused."


@router.get("/pairs")
def show(visit: Contributor) -> Response:
    """One reason at a time, newest first."""
    given = visit.request.query_params
    with visit.at_once():
        count = pair_counts(visit.b)
        kind = _kind(given, count)
        found = waiting_pairs(visit.b, kind, ON_A_PAGE + 1, given.get("before", ""))
    shown = found[:ON_A_PAGE]
    more = {"kind": kind, "before": shown[-1].stored.record.id} if len(found) > ON_A_PAGE else None
    undo = given.get("undo", "")
    return visit.page(
        "records/pairs.html",
        pairs=[_pair(visit, one) for one in shown],
        kind=kind,
        kinds=[(one, visit.text(f"curating.kind_{one}"), count[one]) for one in PAIR_KINDS],
        keeps=KEEPS,
        undo=undo if ID.fullmatch(undo) else "",
        next_page=f"/pairs?{urlencode(more)}" if more else "",
        first_page=f"/pairs?kind={kind}" if given.get("before") else "",
        may_decide=visit.person is not None and visit.person.may("reviewer"),
    )


@router.post("/pairs")
def decide(visit: Reviewer, form: Form) -> Response:
    """Keep this, the other, or both; refused if the texts changed."""
    record, keep = form.get("record", ""), form.get("keep", "")
    seen = [one for one in form.get("seen", "").split(",") if one]
    resolve_pair(visit.b, record, keep, visit.who, visit.now, seen)
    visit.noted(f"resolve {keep}", record)
    kind = form.get("kind", "")
    return visit.go("/pairs", "resolve", undo=record, **({"kind": kind} if kind in PAIR_KINDS else {}))


@router.get("/pairs/decided")
def decided(visit: Contributor) -> Response:
    """Past decisions, newest first, each with an undo button."""
    given = visit.request.query_params.get("before", "")
    before = int(given) if given.isdecimal() and len(given) < 16 else None
    size = visit.site.settings.page_size
    found = decided_pairs(visit.b, size + 1, before)
    shown = found[:size]
    return visit.page(
        "records/decided.html",
        decided=shown,
        first_page="/pairs/decided" if before is not None else "",
        next_page=f"/pairs/decided?before={shown[-1].decision.number}" if len(found) > size else "",
        cut=pages.shorten,
        may_decide=visit.person is not None and visit.person.may("reviewer"),
    )


@router.post("/pairs/reopen")
def reopen(visit: Reviewer, form: Form) -> Response:
    """Undo the last decision on a record; it waits again."""
    record = form.get("record", "")
    reopen_pair(visit.b, record, visit.who, visit.now)
    visit.noted("reopen", record)
    return visit.go("/pairs", "reopen")


def _kind(given: Mapping[str, str], count: Mapping[PairKind, int]) -> PairKind:
    """The requested reason, else the first with waiting records. Raises Problem."""
    filled = [one for one in PAIR_KINDS if count[one]]
    return problems.one_of(given, "kind", PAIR_KINDS) or [*filled, *PAIR_KINDS][0]


def _pair(visit: Visit, found: WaitingPair) -> PairShown:
    this = found.stored
    first = found.others[0] if found.others else this
    return PairShown(
        found,
        _side(visit, this, first),
        tuple(_side(visit, other, this) for other in found.others),
        status_reason(visit, this) if not found.others or found.kind == "suspect" else "",
        ",".join(other.record.id for other in found.others),
    )


def _side(visit: Visit, one: StoredRecord, against: StoredRecord) -> Side:
    return Side(
        one,
        mark_differences(one.record.instruction, against.record.instruction)[0],
        mark_differences(one.record.output, against.record.output)[0],
        tuple(_notes(visit, one)),
    )


def _notes(visit: Visit, one: StoredRecord) -> Iterator[tuple[str, str]]:
    tags = one.tags
    yield visit.text("language"), pages.tag_words(visit, "language", tags.language.value)
    for name in NOTES:
        if value := getattr(one.record, name):
            yield visit.text(f"note_{name}"), pages.note_words(visit, name, str(value))
