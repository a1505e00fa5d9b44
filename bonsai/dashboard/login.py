"""Log in, log out."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from bonsai.dashboard import accounts
from bonsai.dashboard.web import SESSION_COOKIE, AnyVisit, Form, Problem, own_path

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
    name, after = form.get("name", ""), own_path(form.get("next", "/"))
    counted = (f"name {name}", f"address {visit.address}")
    if visit.site.throttle.must_wait(counted, visit.now):
        visit.noted("login_throttled", who=name[: accounts.LONGEST_NAME])
        problem = visit.text("login_wait")
        return visit.page("login.html", 429, after=after, name=name, problem=problem)
    try:
        old = visit.request.cookies.get(SESSION_COOKIE, "")
        hours = visit.site.settings.session_hours
        with visit.site.throttle.turn:
            token = accounts.log_in(visit.b, name, form.get("password", ""), old_token=old, now=visit.now, hours=hours)
    except accounts.LoginRefused as refused:
        visit.site.throttle.failed(counted, visit.now)
        visit.noted("login_refused", who=name[: accounts.LONGEST_NAME])
        return visit.page("login.html", 401, after=after, name=name, problem=refused.render(visit.language))
    visit.noted("login", who=name)
    response = visit.go(after)
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(hours * 3600),
        httponly=True,
        samesite="strict",
        secure=visit.request.url.scheme == "https",
    )
    return response


@router.post("/logout")
def log_out(visit: AnyVisit) -> Response:
    """The session ends on the server too."""
    accounts.log_out(visit.b, visit.request.cookies.get(SESSION_COOKIE, ""))
    visit.noted("logout")
    response = visit.go("/login")
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
    return response
