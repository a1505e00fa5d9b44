"""API errors as problem details (RFC 9457): localised texts and stable codes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bonsai.domain.characters import one_line
from bonsai.errors import BonsaiError
from bonsai.i18n import TextLanguage, area_texts, text
from bonsai.system.files import is_full
from bonsai.web.problems import RETRY_AFTER, Problem
from bonsai.web.request import accepted_language, localise, problem_of

PROBLEM_TYPE = "application/problem+json"
MAX_ERRORS = 20
AGAINST = (
    *("storage.record_forgotten", "storage.record_replaced", "pipeline.edit_repeats"),
    *("curating.no_version", "pipeline.reject_settled", "storage.upload_confirmed"),
)
"The request is valid, but conflicts with the current state."


def answer(request: Request, error: Exception) -> Response:
    """The error as problem details."""
    language = accepted_language(request.headers.get("accept-language", ""))
    match error:
        case Problem():
            detail = localise(language, error.key, **error.values)
            return problem_response(language, error.status, detail, _code(error.key), headers=error.headers)
        case BonsaiError():
            status = 409 if error.key in AGAINST else problem_of(error)
            headers = RETRY_AFTER if status == 503 else {}
            return problem_response(language, status, error.render(language), error.key, headers=headers)
        case RequestValidationError():
            return _invalid(language, error)
        case OSError() if is_full(error):
            return problem_response(language, 507, localise(language, "problem_no_room"), "dashboard.problem_no_room")
        case HTTPException():
            code = "api.no_json_text" if error.status_code == 400 else f"api.status_{error.status_code}"
            known = code.partition(".")[2] in area_texts("api", language)
            detail = text(code, language) if known else ""
            return problem_response(language, error.status_code, detail, code, headers=dict(error.headers or {}))
    raise error


def problem_response(
    language: TextLanguage,
    status: int,
    detail: str,
    code: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Type `about:blank`: the status gives the kind of problem, the code the exact one."""
    known = area_texts("api", language)
    title = known.get(f"title_{status}", known["title_500"])
    content: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
    if errors is not None:
        content["errors"] = errors
    return JSONResponse(content, status, {**(headers or {}), "Content-Language": language}, PROBLEM_TYPE)


def _invalid(language: TextLanguage, error: RequestValidationError) -> Response:
    found: list[Any] = list(error.errors())
    if any(one["type"] == "json_invalid" for one in found):
        return problem_response(language, 400, text("api.no_json_text", language), "api.no_json_text")
    errors = list(described(found, language))
    first = "; ".join(f"{one['pointer']}: {one['detail']}" for one in errors[:3])
    return problem_response(language, 422, text("api.invalid", language, errors=first), "api.invalid", errors=errors)


def described(errors: list[Any], language: TextLanguage) -> Iterator[dict[str, str]]:
    """Location and localised description of each error; submitted values are not repeated."""
    known = area_texts("api", language)
    for one in errors[:MAX_ERRORS]:
        place = "/".join(one_line(str(part)).replace("~", "~0").replace("/", "~1") for part in one["loc"])
        kind = f"error_{one['type']}"
        limits = {name: value for name, value in (one.get("ctx") or {}).items() if isinstance(value, int | float | str)}
        yield {"pointer": place, "detail": known[kind].format(**limits) if kind in known else known["error_other"]}


def words_of(error: ValidationError, language: TextLanguage) -> str:
    """The first errors of a value, in one line."""
    found = list(described(list(error.errors(include_url=False, include_input=False)), language))
    return "; ".join(f"{one['pointer']}: {one['detail']}" if one["pointer"] else one["detail"] for one in found[:3])


def _code(key: str) -> str:
    return key if "." in key else f"dashboard.{key}"


async def _handle(request: Request, error: Exception) -> Response:
    return answer(request, error)


async def _broken(request: Request, error: Exception) -> Response:
    """An unexpected error: answered here, then re-raised by Starlette for the log."""
    language = accepted_language(request.headers.get("accept-language", ""))
    return problem_response(language, 500, text("api.status_500", language), "api.status_500")


Handler = Callable[[Request, Exception], Awaitable[Response]]
HANDLERS: tuple[tuple[type[Exception], Handler], ...] = (
    *((kind, _handle) for kind in (Problem, BonsaiError, OSError, RequestValidationError, HTTPException)),
    (Exception, _broken),
)
