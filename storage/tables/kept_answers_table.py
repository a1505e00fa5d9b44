"""The table `kept_answers`: what a request with an `Idempotency-Key` was answered, for when it comes again.

    claim(con, request, process_name(), now)     Claim.MINE: answer it, then keep(...) or let_go(...)

Whoever claims a key answers it; a claim whose process is gone, or that is too old to be still at work, is taken over.
That is sound because every move behind the API may be made twice: a record's id is the hash of its texts, and a
decision that was made already is refused. (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bonsai.system.locks import may_be_running
from storage.connect import Connection
from storage.sql import Row, from_utc, rows, to_utc

KEPT_FOR = timedelta(hours=24)
LONGEST_AT_WORK = timedelta(minutes=5)
"A request takes seconds; a claim older than this was never let go."


@dataclass(frozen=True, slots=True)
class Request:
    """A request that may come twice."""

    token_id: str
    key: str
    hash: str
    "SHA-256 of method, path and body: the same key with another one is a mistake of the caller's."


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """What the request was answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str


class Claim(StrEnum):
    """What stands in the way of answering a request."""

    MINE = "mine"
    "Nothing: the caller answers it."
    OTHER_REQUEST = "other_request"
    "The key was used for another request."
    AT_WORK = "at_work"
    "The same request is being answered right now."


def claim(con: Connection, request: Request, holder: str, at: datetime) -> Claim | StoredResponse:
    """The answer that is kept, or who is to make it. What is older than a day goes."""
    con.execute("DELETE FROM kept_answers WHERE created_at <= ?", [to_utc(at - KEPT_FOR)])
    found = rows(con, "FROM kept_answers WHERE token_id = ? AND key = ?", [request.token_id, request.key])
    if found and found[0]["request_hash"] != request.hash:
        return Claim.OTHER_REQUEST
    if found and not found[0]["holder"]:
        return _answer(found[0])
    if found and may_be_running(found[0]["holder"]) and from_utc(found[0]["created_at"]) > at - LONGEST_AT_WORK:
        return Claim.AT_WORK
    let_go(con, request)
    insert = "INSERT INTO kept_answers VALUES (?, ?, ?, ?, 0, '[]', '', ?)"
    con.execute(insert, [request.token_id, request.key, request.hash, holder, to_utc(at)])
    return Claim.MINE


def keep(con: Connection, request: Request, answer: StoredResponse) -> None:
    """The answer that the same request is given for a day from its claim on."""
    con.execute(
        "UPDATE kept_answers SET holder = '', status = ?, headers = ?, body = ? WHERE token_id = ? AND key = ?",
        [answer.status, _pairs(answer.headers), answer.body, request.token_id, request.key],
    )


def let_go(con: Connection, request: Request) -> None:
    """Nothing is kept: the request may be tried again. Safe to repeat."""
    con.execute("DELETE FROM kept_answers WHERE token_id = ? AND key = ?", [request.token_id, request.key])


def _pairs(headers: Sequence[tuple[str, str]]) -> str:
    return json.dumps([list(pair) for pair in headers])


def _answer(row: Row) -> StoredResponse:
    headers = tuple((str(name), str(value)) for name, value in json.loads(row["headers"]))
    return StoredResponse(row["status"], headers, row["body"])
