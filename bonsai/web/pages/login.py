"""Login and logout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from bonsai.auth import accounts
from bonsai.auth.throttling import LoginQueueFull, network_of
from bonsai.domain.characters import normalise
from bonsai.errors import LockTimeout
from bonsai.web.form_recovery import RecoveredForm, passed_on_form
from bonsai.web.problems import RETRY_AFTER, Problem
from bonsai.web.request import AnyVisit, Form, Visit, choose_language, local_path, session_cookie

router = APIRouter()


def stranger(request: Request) -> Visit:
    """A visitor whose session is ignored: the database may be unavailable."""
    return Visit(request.app.state.site, request, choose_language(request), None)


Stranger = Annotated[Visit, Depends(stranger)]


@router.get("/login")
def ask(visit: AnyVisit) -> Response:
    """Login form; redirects if no login is needed."""
    after = local_path(visit.request.query_params.get("next", "/"))
    if visit.person:
        return visit.go(after)
    return visit.page("login.html", after=after, name="", problem="", told="", typed=None)


@router.post("/login")
def log_in(visit: Stranger, form: Form) -> Response:
    """Start a new session; the browser's previous one ends."""
    if visit.site.owner:
        raise Problem(404, "problem_no_login")
    name, after = normalise(form.get("name", "")), local_path(form.get("next", "/"))
    counted = (f"name {name}", f"address {network_of(visit.address)}")
    throttle, old = visit.site.throttle, visit.request.cookies.get(session_cookie(visit.site), "")
    hours = visit.site.settings.session_hours
    try:
        with throttle.turn():
            if throttle.must_wait(counted, visit.now):
                return _wait(visit, form, counted)
            password = form.get("password", "")
            try:
                token = accounts.log_in(visit.b, name, password, old_token=old, now=visit.now, hours=hours)
            except accounts.LoginRefused:
                throttle.failed(counted, visit.now)
                raise
    except LoginQueueFull:
        return _ask_again(visit, form, visit.text("login_busy"), 503)
    except LockTimeout as busy:
        return _ask_again(visit, form, visit.words_of(busy), 503)
    except accounts.LoginRefused as refused:
        visit.noted("login_refused", who=name[: accounts.MAX_NAME_CHARACTERS])
        return _ask_again(visit, form, visit.words_of(refused), 401)
    visit.noted("login", who=name)
    typed = passed_on_form(form, after)
    response = _goes_on(visit, typed) if typed else visit.go(after)
    response.set_cookie(
        session_cookie(visit.site),
        token,
        max_age=int(hours * 3600),
        httponly=True,
        samesite="strict",
        secure=visit.site.https,
    )
    return response


def _goes_on(visit: Visit, typed: RecoveredForm) -> Response:
    """Form with what was typed before the login, for the user to send: it may be another person."""
    title = visit.text("login_again")
    return visit.page("problem.html", title=title, message="", typed=typed, passing=True, unsure=False, here="")


def _wait(visit: Visit, form: Mapping[str, str], counted: tuple[str, ...]) -> Response:
    if any([visit.site.throttle.is_news(key, visit.now) for key in counted]):
        visit.noted("login_throttled", who=normalise(form.get("name", ""))[: accounts.MAX_NAME_CHARACTERS])
    return _ask_again(visit, form, visit.text("login_wait"), 429)


def _ask_again(visit: Visit, form: Mapping[str, str], problem: str, status: int) -> Response:
    after, name = local_path(form.get("next", "/")), form.get("name", "")[: accounts.MAX_NAME_CHARACTERS]
    typed = passed_on_form(form, after)
    response = visit.page("login.html", status, after=after, name=name, problem=problem, told="", typed=typed)
    if status == 503:
        response.headers.update(RETRY_AFTER)
    return response


@router.post("/logout")
def log_out(visit: AnyVisit) -> Response:
    """End the session on the server too."""
    if visit.person and not visit.site.owner:
        accounts.log_out(visit.b, visit.request.cookies.get(session_cookie(visit.site), ""))
        visit.noted("logout")
    response = visit.go("/login")
    response.delete_cookie(session_cookie(visit.site), httponly=True, samesite="strict", secure=visit.site.https)
    return response
