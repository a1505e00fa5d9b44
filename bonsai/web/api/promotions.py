"""/promotions and /decisions: candidates with every rule, people's decisions, and the promotion log.

A promotion's `ETag` names the champion's version and the candidate's state. A decision with `If-Match` is refused if
either has changed since the client read them (RFC 9110, 13.1.1).
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from bonsai.actions.promotions import approve, reject, rollback
from bonsai.domain.characters import normalise
from bonsai.domain.promotion import Pointer, State, settle
from bonsai.errors import UnknownId
from bonsai.queries import promotions
from bonsai.queries import promotions as promotions_queries
from bonsai.queries.promotions import promotion_evidence
from bonsai.schemas import base
from bonsai.schemas import promotions as schema_promotions
from bonsai.schemas.promotions import NewDecision
from bonsai.serializers import promotions as serializers
from bonsai.web.api.nights import start_after
from bonsai.web.api.request import ANY, SENDING, AdapterId, Call, Key, Match, Reading, Reviewing, documented
from bonsai.web.problems import Problem
from storage.tables.promotions_table import Promotion

router = APIRouter(tags=["promotions"])


@router.get("/promotions", **documented("list_promotions", 404))
def list_promotions(call: Reading, page: Annotated[base.PageRequest, Query()]) -> schema_promotions.Promotions:
    """Newest first."""
    found = promotions_queries.list_promotions(call.b)
    start = start_after([one.adapter for one in found], page.cursor)
    seen = found[start : start + page.limit]
    pointer = promotions.pointer(call.b)
    more = seen[-1].adapter if start + page.limit < len(found) else None
    items = [serializers.promotion(one, pointer, call.language) for one in seen]
    return schema_promotions.Promotions(items=items, next_cursor=more)


@router.get("/promotions/{adapter}", **documented("read_promotion", 404, tagged=True))
def read_promotion(call: Reading, adapter: AdapterId, response: Response) -> schema_promotions.PromotionDetail:
    """Every rule with its figures, possible actions, and history."""
    return _shown(call, _get(call, adapter), response)


@router.post("/promotions/{adapter}/decisions", **documented("decide", *SENDING, 404, 412, tagged=True))
def decide(
    call: Reviewing,
    adapter: AdapterId,
    said: NewDecision,
    response: Response,
    if_match: Match = None,
    key: Key = None,
) -> schema_promotions.PromotionDetail:
    """Approve (also a former champion), reject or roll back; returns the promotion after that."""
    found = _get(call, adapter)
    pointer = promotions.pointer(call.b)
    if if_match not in (*ANY, _etag(pointer, settle(found.candidate, pointer))):
        raise Problem(412, "api.changed")
    version = pointer.version if if_match not in ANY else None
    decision: Any = {"by": call.caller.name, "reason": normalise(said.reason), "now": call.now, "version": version}
    match said.action:
        case "approve":
            approve(call.b, adapter, **decision)
        case "reject":
            reject(call.b, adapter, **decision)
        case "rollback":
            rollback(call.b, adapter=adapter, **decision)
    call.noted(said.action, adapter)
    return _shown(call, _get(call, adapter), response)


@router.get("/promotions/{adapter}/reviews", **documented("list_reviews", 404))
def list_reviews(call: Reading, adapter: AdapterId) -> schema_promotions.Reviews:
    """Results of blind reviews."""
    found = promotion_evidence(call.b, _get(call, adapter).adapter).reviews
    return schema_promotions.Reviews(items=[serializers.review(one) for one in found])


@router.get("/decisions", **documented("list_decisions", 404))
def list_decisions(call: Reading, page: Annotated[base.PageRequest, Query()]) -> schema_promotions.Decisions:
    """The promotion log, newest first; the hash chain is verified on every request."""
    history = promotions.history(call.b)
    start = start_after([str(one.entry.number) for one in history.lines], page.cursor)
    seen = history.lines[start : start + page.limit]
    more = str(seen[-1].entry.number) if start + page.limit < len(history.lines) else None
    broken = history.broken.render(call.language) if history.broken else ""
    items = [serializers.log_line(one) for one in seen]
    return schema_promotions.Decisions(items=items, next_cursor=more, whole=not broken, broken=broken)


def _get(call: Call, adapter: str) -> Promotion:
    found = promotions_queries.show_promotion(call.b, adapter)
    if found.adapter != adapter:  # the CLI accepts a prefix; the API needs the full id
        raise UnknownId("storage.unknown_promotion", id=adapter)
    return found


def _shown(call: Call, found: Promotion, response: Response) -> schema_promotions.PromotionDetail:
    pointer, history = promotions.pointer(call.b), promotions.history(call.b)
    response.headers["ETag"] = _etag(pointer, settle(found.candidate, pointer))
    return serializers.promotion_detail(found, pointer, history, call.language)


def _etag(pointer: Pointer, state: State) -> str:
    return f'"{pointer.version}-{state.value}"'
