"""The table `kept_answers`: stored responses to requests with an `Idempotency-Key`.

    claim(con, request, process_name(), now)     Claim.MINE: answer it, then store_response(...) or release(...)

The process that claims a key answers the request. A claim is a lease: it is taken over when its process is gone or it
is too old. That is safe because every operation of the API is idempotent: a record's id is the hash of its texts, and a
decision that was made is refused. (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/)
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

RETENTION = timedelta(hours=24)
MAX_CLAIM_AGE = timedelta(minutes=5)
"A request takes seconds; an older claim was never released."


@dataclass(frozen=True, slots=True)
class Request:
    """A request that may be retried."""

    token_id: str
    key: str
    hash: str
    "SHA-256 of method, path and body; the same key with another hash is the caller's error."


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The response to the request."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str


class Claim(StrEnum):
    """The result of claiming a key."""

    MINE = "mine"
    "The caller answers the request."
    OTHER_REQUEST = "other_request"
    "The key belongs to another request."
    AT_WORK = "at_work"
    "Another process is answering the same request."


def claim(con: Connection, request: Request, holder: str, at: datetime) -> Claim | StoredResponse:
    """Claim a key: the stored response, or whether the caller answers. Deletes what is older than a day."""
    con.execute("DELETE FROM kept_answers WHERE created_at <= ?", [to_utc(at - RETENTION)])
    found = rows(con, "FROM kept_answers WHERE token_id = ? AND key = ?", [request.token_id, request.key])
    if found and found[0]["request_hash"] != request.hash:
        return Claim.OTHER_REQUEST
    if found and not found[0]["holder"]:
        return _answer(found[0])
    if found and may_be_running(found[0]["holder"]) and from_utc(found[0]["created_at"]) > at - MAX_CLAIM_AGE:
        return Claim.AT_WORK
    release(con, request)
    insert = "INSERT INTO kept_answers VALUES (?, ?, ?, ?, 0, '[]', '', ?)"
    con.execute(insert, [request.token_id, request.key, request.hash, holder, to_utc(at)])
    return Claim.MINE


def store_response(con: Connection, request: Request, answer: StoredResponse) -> None:
    """Store the response, to be repeated for a day from the claim on."""
    con.execute(
        "UPDATE kept_answers SET holder = '', status = ?, headers = ?, body = ? WHERE token_id = ? AND key = ?",
        [answer.status, _pairs(answer.headers), answer.body, request.token_id, request.key],
    )


def release(con: Connection, request: Request) -> None:
    """Drop the claim: the request may be retried. Safe to repeat."""
    con.execute("DELETE FROM kept_answers WHERE token_id = ? AND key = ?", [request.token_id, request.key])


def _pairs(headers: Sequence[tuple[str, str]]) -> str:
    return json.dumps([list(pair) for pair in headers])


def _answer(row: Row) -> StoredResponse:
    headers = tuple((str(name), str(value)) for name, value in json.loads(row["headers"]))
    return StoredResponse(row["status"], headers, row["body"])
