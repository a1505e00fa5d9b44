"""/subjects and /timeline: all subjects, and the events of one."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Query

from bonsai.queries import timeline
from bonsai.schemas.timeline import Subject, SubjectPage, Subjects, Timeline, TimelinePage
from bonsai.serializers.records import timeline_entry
from bonsai.web.api.request import Reading, documented
from bonsai.web.problems import Problem
from storage.tables.subjects import Subject as Found

router = APIRouter(tags=["subjects"])


@router.get("/subjects", **documented("list_subjects", 404))
def list_subjects(call: Reading, page: Annotated[SubjectPage, Query()]) -> Subjects:
    """Most records first."""
    fewer, name = _place(page.cursor) if page.cursor else (0, "")
    found = timeline.list_subjects(call.b, page.limit + 1, fewer, name)
    shown = found[: page.limit]
    more = _cursor(shown[-1]) if len(found) > page.limit else None
    return Subjects(items=[Subject.model_validate(one) for one in shown], next_cursor=more)


@router.get("/timeline", **documented("read_timeline", 404))
def read_timeline(call: Reading, page: Annotated[TimelinePage, Query()]) -> Timeline:
    """Latest first, each with similar earlier events."""
    found = timeline.timeline(call.b, page.subject, page.limit + 1, page.cursor or "", page.past)
    if not found.entries and not page.cursor:
        raise Problem(404, "problem_no_subject")
    shown = found.entries[: page.limit]
    more = shown[-1].event.id if len(found.entries) > page.limit else None
    return Timeline(items=[timeline_entry(one) for one in shown], next_cursor=more, unread=found.unread)


def _cursor(last: Found) -> str:
    return f"{last.records}.{base64.urlsafe_b64encode(last.name.encode()).decode().rstrip('=')}"


def _place(cursor: str) -> tuple[int, str]:
    records, _, name = cursor.partition(".")
    try:
        return int(records), base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Problem(404, "api.no_cursor", cursor=cursor[:80]) from None
