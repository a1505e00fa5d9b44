"""/pairs: contradictions and near duplicates, decisions on them, and undo."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from bonsai.actions import resolve
from bonsai.queries.records import decided_pairs, pair_counts, show_record, waiting_pairs
from bonsai.schemas.base import PageRequest
from bonsai.schemas.pairs import DecidedPairs, PairDecision, PairPage, PairResult, Pairs, Reopened
from bonsai.serializers import records
from bonsai.web.api.request import CALLING, SENDING, Key, Reading, RecordId, Reviewing, check_cursor, documented
from bonsai.web.problems import Problem

router = APIRouter(prefix="/pairs", tags=["pairs"])


@router.get("", **documented("list_pairs", 404))
def list_pairs(call: Reading, page: Annotated[PairPage, Query()]) -> Pairs:
    """Newest first."""
    found = waiting_pairs(call.b, page.kind, page.limit + 1, page.cursor or "")
    if page.cursor and not found:
        check_cursor(page.cursor, lambda name: show_record(call.b, name).stored.record.id)
    shown = found[: page.limit]
    items = [records.pair(one, call.language) for one in shown]
    more = shown[-1].stored.record.id if len(found) > page.limit else None
    counts = {str(kind): count for kind, count in pair_counts(call.b).items()}
    return Pairs(items=items, next_cursor=more, counts=counts)


@router.get("/decisions", **documented("list_pair_decisions", 404))
def list_pair_decisions(call: Reading, page: Annotated[PageRequest, Query()]) -> DecidedPairs:
    """Newest first, undone ones included."""
    if page.cursor and not (page.cursor.isdecimal() and len(page.cursor) < 16):
        raise Problem(404, "api.no_cursor", cursor=page.cursor)
    found = decided_pairs(call.b, page.limit + 1, int(page.cursor) if page.cursor else None)
    shown = found[: page.limit]
    more = str(shown[-1].decision.number) if len(found) > page.limit else None
    return DecidedPairs(items=[records.decided_pair(one) for one in shown], next_cursor=more)


@router.post("/{record_id}/decisions", **documented("resolve_pair", *SENDING, 404))
def resolve_pair(call: Reviewing, record_id: RecordId, said: PairDecision, key: Key = None) -> PairResult:
    """Refused if the counterparts are no longer those in `seen`."""
    made = resolve.resolve_pair(call.b, record_id, said.keep, call.caller.name, call.now, said.seen)
    call.noted(f"resolve {said.keep}", record_id)
    return PairResult(kept=list(made.kept), excluded=list(made.excluded))


@router.post("/{record_id}/reopen", **documented("reopen_pair", *CALLING, 404))
def reopen_pair(call: Reviewing, record_id: RecordId, key: Key = None) -> Reopened:
    """Undo the last decision; refused if one of the records changed since."""
    made = resolve.reopen_pair(call.b, record_id, call.caller.name, call.now)
    call.noted("reopen", record_id)
    return Reopened(records=list(made))
