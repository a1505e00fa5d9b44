"""Error responses: what was wrong, what to do, and the typed text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, RedirectResponse, Response

from bonsai.errors import BonsaiError
from bonsai.system.files import is_full
from bonsai.web.api import app
from bonsai.web.form_recovery import recovered_form, requested_address
from bonsai.web.problems import RETRY_AFTER, ConfirmationNeeded, LoginNeeded, Problem
from bonsai.web.request import Site, Visit, choose_language, problem_of

KNOWN_STATUS = (401, 403, 404, 405, 408, 409, 413, 415, 422, 500, 503, 507)
PASSING = (408, 429, 500, 503, 507)
"Statuses after which a retry may succeed."


async def _show(request: Request, status: int, message: str, *, unsure: bool = False) -> Response:
    """A problem as a page, or as JSON for scripts (RFC 9457)."""
    visit = _visit(request)
    title = visit.text("do_forget" if unsure else f"problem_{status if status in KNOWN_STATUS else 500}")
    headers = RETRY_AFTER if status == 503 else {}
    if "json" in request.headers.get("accept", "") or request.url.path.startswith(f"{app.PATH}/"):
        problem = {"type": "about:blank", "title": title, "status": status, "detail": message}
        return JSONResponse(problem, status, headers, "application/problem+json")
    response = visit.page(
        "problem.html",
        status,
        title=title,
        message=message,
        typed=await recovered_form(request),
        unsure=unsure,
        passing=status in PASSING,
        here=requested_address(request) if request.method == "GET" and status == 503 else "",
    )
    response.headers.update(headers)
    return response


def _visit(request: Request) -> Visit:
    site: Site = request.app.state.site
    return Visit(site, request, choose_language(request), None)


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    words = _visit(request).text(error.key, **error.values)
    response = await _show(request, error.status, words, unsure=isinstance(error, ConfirmationNeeded))
    response.headers.update(error.headers)
    return response


async def _on_bonsai_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, BonsaiError)
    return await _show(request, problem_of(error), _visit(request).words_of(error))


async def _on_login_needed(request: Request, error: Exception) -> Response:
    """Redirect to the login, which leads back and passes on what was typed."""
    if "application/json" in request.headers.get("accept", ""):
        return await _show(request, 401, "")
    if request.method == "GET":
        return RedirectResponse(f"/login?{urlencode({'next': requested_address(request)})}", 303)
    typed = await recovered_form(request)
    visit = _visit(request)
    notice = visit.text("login_ended_kept" if typed and typed.texts else "login_ended")
    return visit.page(
        "login.html", 401, after=requested_address(request), name="", problem="", told=notice, typed=typed
    )


async def _on_http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    response = await _show(request, status, "")
    if isinstance(error, HTTPException):
        response.headers.update(error.headers or {})
    return response


async def _on_os_error(request: Request, error: Exception) -> Response:
    """A full disk is answered with 507; other errors are raised again."""
    assert isinstance(error, OSError)
    if not is_full(error):
        raise error
    return await _show(request, 507, _visit(request).text("problem_no_room"))


async def _on_invalid(request: Request, error: Exception) -> Response:
    return await _show(request, 422, "")


async def _on_gone(request: Request, error: Exception) -> Response:
    """The browser went away before its request was whole: nobody reads the answer, and nothing is wrong here."""
    return Response(status_code=400)


Handler = Callable[[Request, Exception], Awaitable[Response]]
HANDLERS: tuple[tuple[type[Exception], Handler], ...] = (
    (Problem, _on_problem),
    (BonsaiError, _on_bonsai_error),
    (LoginNeeded, _on_login_needed),
    (ClientDisconnect, _on_gone),
    (HTTPException, _on_http_error),
    (RequestValidationError, _on_invalid),
    (OSError, _on_os_error),
    (Exception, _on_http_error),
)
