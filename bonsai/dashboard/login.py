"""Log in, log out."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from bonsai.characters import normalise
from bonsai.dashboard import accounts
from bonsai.dashboard.throttling import DoorFull, network_of
from bonsai.dashboard.web import AnyVisit, Form, Problem, Visit, own_path, session_cookie

router = APIRouter()


@router.get("/login")
def ask(visit: AnyVisit) -> Response:
    """The form; who needs none goes on."""
    after = own_path(visit.request.query_params.get("next", "/"))
    return visit.go(after) if visit.person else visit.page("login.html", after=after, name="", problem="")


@router.post("/login")
def log_in(visit: AnyVisit, form: Form) -> Response:
    """A new session for the right password. Whatever session the browser brought along ends."""
    if visit.site.owner:
        raise Problem(404, "problem_no_login")
    name, after = normalise(form.get("name", "")), own_path(form.get("next", "/"))
    counted = (f"name {name}", f"address {network_of(visit.address)}")
    throttle, old = visit.site.throttle, visit.request.cookies.get(session_cookie(visit.site), "")
    hours = visit.site.settings.session_hours
    try:
        with throttle.turn():
            if throttle.must_wait(counted, visit.now):
                return _wait(visit, name, after, counted)
            password = form.get("password", "")
            try:
                token = accounts.log_in(visit.b, name, password, old_token=old, now=visit.now, hours=hours)
            except accounts.LoginRefused:
                throttle.failed(counted, visit.now)
                raise
    except DoorFull:
        return _ask_again(visit, name, after, visit.text("login_busy"), 503)
    except accounts.LoginRefused as refused:
        visit.noted("login_refused", who=name[: accounts.LONGEST_NAME])
        return _ask_again(visit, name, after, refused.render(visit.language), 401)
    visit.noted("login", who=name)
    response = visit.go(after)
    response.set_cookie(
        session_cookie(visit.site),
        token,
        max_age=int(hours * 3600),
        httponly=True,
        samesite="strict",
        secure=visit.site.https,
    )
    return response


def _wait(visit: Visit, name: str, after: str, counted: tuple[str, ...]) -> Response:
    if any([visit.site.throttle.is_news(key, visit.now) for key in counted]):
        visit.noted("login_throttled", who=name[: accounts.LONGEST_NAME])
    return _ask_again(visit, name, after, visit.text("login_wait"), 429)


def _ask_again(visit: Visit, name: str, after: str, problem: str, status: int) -> Response:
    return visit.page("login.html", status, after=after, name=name, problem=problem)


@router.post("/logout")
def log_out(visit: AnyVisit) -> Response:
    """The session ends on the server too."""
    if visit.person and not visit.site.owner:
        accounts.log_out(visit.b, visit.request.cookies.get(session_cookie(visit.site), ""))
        visit.noted("logout")
    response = visit.go("/login")
    response.delete_cookie(session_cookie(visit.site), httponly=True, samesite="strict", secure=visit.site.https)
    return response
