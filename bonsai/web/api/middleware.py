"""API middleware: rate limits by address and token, authentication, body limits, idempotency.

A request with an `Idempotency-Key` is processed once; a repetition gets the stored response, for a day and across
restarts (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/). Cookies are ignored: nothing
that a browser sends by itself grants access, so cross-site requests are harmless and Origin needs no check.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bonsai.auth import tokens
from bonsai.auth.throttling import TokenBuckets, network_of
from bonsai.auth.tokens import Caller
from bonsai.errors import BonsaiError, LockTimeout
from bonsai.system.locks import process_name
from bonsai.web import upload_body
from bonsai.web.api import problems
from bonsai.web.api.request import scope_needed
from bonsai.web.problems import Problem
from bonsai.web.request import Site
from bonsai.web.security import SAFE_METHODS, read_body
from storage.connect import Connection
from storage.tables import kept_answers_table
from storage.tables.kept_answers_table import Claim, StoredResponse
from storage.tables.kept_answers_table import Request as Repeatable

DOCUMENT = "/openapi.json"
"Public: it describes the program, not the home."
UPLOADS = "/uploads"
UNREPEATED = ("/suggestions",)
"Responses with texts of records, which may be stored nowhere else."
KEY = re.compile(r"[!-~]{1,255}")
NOT_KEPT = (401, 403, 408, 413, 415, 429)
"Responses that do not depend on the request itself; those from 500 on are not stored either."
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="bonsai"'}
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ApiMiddleware:
    """ASGI middleware around the API."""

    app: ASGIApp
    site: Site
    by_address: TokenBuckets
    by_token: TokenBuckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry point."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        response: ASGIApp
        try:
            response = await self._answer(request)
        except (Problem, BonsaiError) as error:
            response = problems.answer(request, error)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> ASGIApp:
        address = request.client.host if request.client else ""
        self._pass(self.by_address, network_of(address))
        path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
        if request.method in SAFE_METHODS and path == DOCUMENT:
            return await _ask(self.app, request.scope, b"")
        caller = await run_in_threadpool(self._caller, request)
        self._pass(self.by_token, caller.token)
        request.scope.setdefault("state", {})["caller"] = caller
        if request.method == "POST" and path == UPLOADS:
            return await self._uploaded(request, caller)
        body = await read_body(request)
        request.state.has_body = bool(body)
        if request.method in SAFE_METHODS:
            return PassThrough(self.app, body)
        if path in UNREPEATED:
            return await _ask(self.app, request.scope, body)
        return await self._repeatable(request, caller, body, body)

    async def _uploaded(self, request: Request, caller: Caller) -> Response:
        """Receives a file to disk for the route, and removes what the route leaves."""
        if not caller.may("append"):
            raise scope_needed("append")
        arrived = await upload_body.receive_raw(self.site, request)
        request.state.arrived, request.state.has_body = arrived, False
        try:
            return await self._repeatable(request, caller, b"", arrived.sha256.encode())
        finally:
            await run_in_threadpool(arrived.clear)

    async def _repeatable(self, request: Request, caller: Caller, body: bytes, fingerprint: bytes) -> Response:
        """Process once per idempotency key; `fingerprint` distinguishes requests with the same key."""
        key = request.headers.get("idempotency-key", "")
        if not KEY.fullmatch(key):
            return await _ask(self.app, request.scope, body)
        return await self._once(request, Repeatable(caller.token, key, _hash(request, fingerprint)), body)

    def _pass(self, buckets: TokenBuckets, key: str) -> None:
        wait = buckets.take(key, self.site.clock())
        if wait:
            raise Problem(429, "api.too_often", {"Retry-After": str(math.ceil(wait))}, seconds=math.ceil(wait))

    def _caller(self, request: Request) -> Caller:
        kind, _, shown = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not shown:
            raise Problem(401, "api.token_needed", CHALLENGE)
        caller = tokens.authenticate(self.site.b, shown.strip(), self.site.clock())
        if caller is None:
            raise Problem(
                401, "api.token_invalid", {"WWW-Authenticate": 'Bearer realm="bonsai", error="invalid_token"'}
            )
        return caller

    async def _once(self, request: Request, repeatable: Repeatable, body: bytes) -> Response:
        now, holder = self.site.clock(), process_name()
        found = await run_in_threadpool(self._write, lambda con: kept_answers_table.claim(con, repeatable, holder, now))
        if isinstance(found, StoredResponse):
            headers = {**dict(found.headers), "Idempotency-Replayed": "true"}
            return Response(found.body, found.status, headers)
        if found is Claim.OTHER_REQUEST:
            raise Problem(422, "api.key_used")
        if found is Claim.AT_WORK:
            raise Problem(409, "api.key_at_work", {"Retry-After": "1"})
        try:
            response = await _ask(self.app, request.scope, body)
        except BaseException:
            with suppress(LockTimeout):  # else the claim expires by age
                self._write(lambda con: kept_answers_table.release(con, repeatable))
            raise
        with suppress(LockTimeout):  # the work is done, so the response is sent anyway
            await run_in_threadpool(self._write, lambda con: _settle(con, repeatable, response))
        return response

    def _write(self, work: Callable[[Connection], Result]) -> Result:
        with self.site.b.database.writing() as con:
            return work(con)


def _settle(con: Connection, repeatable: Repeatable, response: Response) -> None:
    """Store the response, unless a retry may give another one."""
    if response.status_code >= 500 or response.status_code in NOT_KEPT:
        kept_answers_table.release(con, repeatable)
        return
    headers = tuple((name, value) for name, value in response.headers.items() if name != "content-length")
    body = bytes(response.body).decode()
    kept_answers_table.store_response(con, repeatable, StoredResponse(response.status_code, headers, body))


def _hash(request: Request, body: bytes) -> str:
    head = f"{request.method} {request.url.path}?{request.url.query} {request.headers.get('if-match', '')}\n"
    return hashlib.sha256(head.encode() + body).hexdigest()


@dataclass(frozen=True, slots=True)
class PassThrough:
    """Streams the application's response: a download may exceed memory."""

    app: ASGIApp
    body: bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry point."""
        waiting = [self.body]

        async def replay_body() -> Message:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False} if waiting else await receive()

        await self.app(scope, replay_body, send)


async def _ask(app: ASGIApp, scope: Scope, body: bytes) -> Response:
    """The application's whole response to a body that was already read."""
    waiting = [body]
    status, headers, content = 500, list[tuple[bytes, bytes]](), bytearray()

    async def receive() -> Message:
        return {"type": "http.request", "body": waiting.pop() if waiting else b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            content.extend(message.get("body", b""))

    await app(scope, receive, send)
    response = Response(bytes(content), status)
    response.raw_headers = headers
    return response
