"""/rejects: list rejects, repair and resubmit one, or dismiss it with a reason."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from bonsai.actions import rejects
from bonsai.actions.rejects import open_reject
from bonsai.domain.characters import normalise
from bonsai.queries.records import page_of_rejects, show_reject
from bonsai.schemas.base import PageRequest
from bonsai.schemas.rejects import Dismissal, Dismissed, RejectedLine, RejectedLines, Repair, Repaired
from bonsai.serializers import records
from bonsai.web.api.request import SENDING, Appending, Key, Reading, RejectId, Reviewing, check_cursor, documented
from bonsai.web.problems import Problem

router = APIRouter(prefix="/rejects", tags=["files"])


@router.get("", **documented("list_rejects", 404))
def list_rejects(call: Reading, page: Annotated[PageRequest, Query()]) -> RejectedLines:
    """Open rejects only."""
    found = page_of_rejects(call.b, page.limit + 1, page.cursor or "")
    if page.cursor and not found:
        check_cursor(page.cursor, lambda name: show_reject(call.b, name).id)
    shown = found[: page.limit]
    more = shown[-1].id if len(found) > page.limit else None
    return RejectedLines(items=[records.rejected_line(one, call.language) for one in shown], next_cursor=more)


@router.get("/{reject}", **documented("read_reject", 404))
def read_reject(call: Reading, reject: RejectId) -> RejectedLine:
    """One reject with its original text."""
    return records.rejected_line(show_reject(call.b, reject), call.language)


@router.post("/{reject}/repair", **documented("repair_reject", *SENDING, 404))
def repair_reject(call: Appending, reject: RejectId, said: Repair, key: Key = None) -> Repaired:
    """Parse the repaired text as the reader did; if it is still invalid, nothing changes."""
    if open_reject(call.b, reject).is_cut:
        raise Problem(409, "entering.problem_cut")
    made = rejects.repair_reject(call.b, reject, said.raw, call.caller.name, call.now)
    if not isinstance(made, rejects.RepairResult):
        return Repaired(accepted=False, records=[], detail=records.reason(made, call.language))
    call.noted("repair", reject)
    call.site.drain()
    return Repaired(accepted=True, records=list(made.records), detail=None)


@router.post("/{reject}/dismiss", **documented("dismiss_reject", *SENDING, 404))
def dismiss_reject(call: Reviewing, reject: RejectId, said: Dismissal, key: Key = None) -> Dismissed:
    """Remove it from the list; the reason is stored."""
    made = rejects.dismiss_reject(call.b, reject, call.caller.name, normalise(said.reason), call.now)
    call.noted("dismiss", reject)
    return Dismissed(reject=made)
