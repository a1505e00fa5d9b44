"""API request context: client, scope, language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import Header, Path, Request, Security
from fastapi.security import HTTPBearer, SecurityScopes

from bonsai.auth.tokens import Caller
from bonsai.context import Bonsai
from bonsai.errors import UsageError
from bonsai.i18n import TextLanguage
from bonsai.web.api.problems import PROBLEM_TYPE
from bonsai.web.problems import Problem
from bonsai.web.request import Site, accepted_language, localise
from storage import audit
from storage.tables.record_rows import StoredRecord, etag
from storage.tables.tokens_table import Scope

BEARER = HTTPBearer(scheme_name="token", bearerFormat="bonsai_ID_SECRET", description="api.doc_token", auto_error=False)
"For the document only: the middleware has already checked the token."
STATUSES = {
    400: "api.doc_400",
    401: "api.doc_401",
    403: "api.doc_403",
    404: "api.doc_404",
    408: "api.doc_408",
    409: "api.doc_409",
    412: "api.doc_412",
    413: "api.doc_413",
    415: "api.doc_415",
    422: "api.doc_422",
    429: "api.doc_429",
    503: "api.doc_503",
    507: "api.doc_507",
}
EVERYWHERE = (401, 403, 422, 429, 503)
CALLING = (408, 409, 413)
"Further errors of state-changing requests."
SENDING = (*CALLING, 400, 415)
"Further errors of requests with a body."
CHANGING = ("POST", "PATCH")
JSON_KINDS = ("application/json", "application/x-ndjson")


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    site: Site
    caller: Caller
    language: TextLanguage
    address: str

    @property
    def b(self) -> Bonsai:
        """The home."""
        return self.site.b

    @property
    def now(self) -> datetime:
        """Aware, UTC."""
        return self.site.clock()

    def text(self, key: str, /, **values: Any) -> str:
        """A localised text, by default in the area `dashboard`."""
        return localise(self.language, key, **values)

    def noted(self, action: str, target: str) -> None:
        """Write an audit line."""
        act = audit.AuditEntry(self.now, self.caller.name, action, target, self.address, self.caller.token)
        audit.append(self.b.places.logs, act)


def calling(request: Request, required: SecurityScopes, _: Annotated[Any, Security(BEARER)]) -> Call:
    """The authorised caller. Refuses repeated query parameters and bodies other than JSON."""
    caller: Caller = request.state.caller
    needed: Any = required.scopes
    for scope in needed:
        if not caller.may(scope):
            raise scope_needed(scope)
    names = [name for name, _ in request.query_params.multi_items()]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Problem(422, "api.twice", name=twice[:80])
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method in CHANGING and request.state.has_body and kind not in JSON_KINDS:
        raise Problem(415, "api.no_json", kinds=", ".join(JSON_KINDS))
    language = accepted_language(request.headers.get("accept-language", ""))
    return Call(request.app.state.site, caller, language, request.client.host if request.client else "")


def scope_needed(scope: Scope) -> Problem:
    """403: the token lacks the scope."""
    challenge = f'Bearer realm="bonsai", error="insufficient_scope", scope="{scope}"'
    return Problem(403, "api.scope_needed", {"WWW-Authenticate": challenge}, scope=scope)


def needs(scope: Scope) -> Any:
    """Dependency: a caller with the scope."""
    return Security(calling, scopes=[scope])


Reading = Annotated[Call, needs("read")]
Appending = Annotated[Call, needs("append")]
Reviewing = Annotated[Call, needs("review")]
Administering = Annotated[Call, needs("admin")]

Key = Annotated[str | None, Header(alias="Idempotency-Key", pattern="^[!-~]{1,255}$", description="api.param_key")]
"Read by the middleware; here for the document, and to refuse malformed keys."
RecordId = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="api.param_record")]
AdapterId = Annotated[str, Path(pattern="^[0-9A-Za-z._-]{1,100}$", description="api.param_adapter")]
RejectId = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="api.param_reject")]
UploadId = Annotated[str, Path(pattern="^[0-9]{8}T[0-9]{6}-[0-9a-f]{8}$", description="api.param_upload")]
SubmissionId = Annotated[str, Path(pattern="^[0-9A-Za-z._-]{1,100}$", description="api.param_submission")]
QuestionId = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="api.param_question")]
AnswerNumber = Annotated[int, Path(ge=1, le=100, description="api.param_answer")]
Match = Annotated[str | None, Header(alias="If-Match", pattern="^[!-~]{1,100}$", description="api.param_match")]
ANY = (None, "*")
"`If-Match` values that accept any state."
NightKey = Annotated[str, Path(pattern="^[0-9A-Za-z._:-]{1,100}$", description="api.param_night")]


def quoted_etag(stored: StoredRecord) -> str:
    """The `ETag` of a record, as a header has it."""
    return f'"{etag(stored)}"'


def documented(
    name: str,
    *statuses: int,
    success: str = "",
    tagged: bool = False,
    success_content: Mapping[int | str, dict[str, Any]] = MappingProxyType({}),
) -> dict[str, Any]:
    """OpenAPI metadata of a route: the text `op_<name>`, its statuses, its `ETag`."""
    known = (*EVERYWHERE, *statuses)
    problems: dict[int | str, dict[str, Any]] = {
        status: {
            "description": STATUSES[status],
            "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
        }
        for status in sorted(known)
    }
    problems |= success_content
    if tagged:
        problems[200] = {"headers": {"ETag": {"description": "api.header_etag", "schema": {"type": "string"}}}}
    return {
        "summary": f"api.op_{name}",
        "description": f"api.op_{name}_about",
        "response_description": success or "api.doc_200",
        "responses": problems,
    }


def check_cursor(cursor: str, identify: Callable[[str], str]) -> None:
    """After an empty page: the cursor is the whole id of a known thing, so that was the last page.

    Raises Problem for an unknown one, and for a prefix, which the terminal would take.
    """
    try:
        known = identify(cursor)
    except UsageError:
        known = ""
    if known != cursor:
        raise Problem(404, "api.no_cursor", cursor=cursor)
