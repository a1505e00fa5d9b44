"""Assembles the dashboard: `create_app(b, ...)`.

Every page is a plain function that FastAPI runs in a thread; each opens and closes the database itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache, lru_cache

from fastapi import Depends, FastAPI, Request
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from bonsai import bootstrap
from bonsai.actions.ask import QuestionQueue
from bonsai.auth import accounts
from bonsai.auth.throttling import Throttle
from bonsai.context import Bonsai
from bonsai.errors import UsageError
from bonsai.queries.explanation import Explanation, explain, explanation_etag
from bonsai.queries.suggestions import existing_tagger
from bonsai.web import error_handlers
from bonsai.web.api.app import PATH, create_api
from bonsai.web.pages import (
    adapters,
    api_reference,
    ask,
    bases,
    home,
    login,
    nights,
    pairs,
    promotions,
    record_form,
    records,
    rejects,
    settings,
    tagging,
    timeline,
    uploads,
)
from bonsai.web.pages import help as help_page
from bonsai.web.problems import Problem
from bonsai.web.rendering import FOLDER, make_environment
from bonsai.web.request import Site
from bonsai.web.security import SafeHeaders, is_from_our_page

PAGES = (
    home, login, nights, promotions, record_form, uploads, rejects, pairs, tagging, timeline, records, ask, adapters,
    bases, settings, help_page, api_reference,
)  # fmt: skip
"Order matters: `/records/new` must come before `/records/ID`."
LOGIN_WINDOW = timedelta(minutes=15)
EXPLANATIONS = 3


def refuse_start(who: str, cold: bool) -> None:
    """For a dashboard that cannot start nights. Raises UsageError."""
    raise UsageError("nights.no_start")


def create_app(
    b: Bonsai,
    *,
    clock: Callable[[], datetime],
    owner: str,
    drain: Callable[[], None],
    hosts: Sequence[str],
    environ: Mapping[str, str] | None = None,
    https: bool = False,
    start_night: Callable[[str, bool], object] = refuse_start,
) -> ASGIApp:
    """The ASGI application.

    `owner` acts without a login; empty: everybody logs in. `hosts` are the accepted host names. `environ` may override
    settings. `https`: browsers use HTTPS, through a proxy in front.
    """
    dashboard_settings = b.config.dashboard

    @asynccontextmanager
    async def until_the_end(_: FastAPI) -> AsyncIterator[None]:
        yield
        site.questions.close()

    app = FastAPI(
        title="Bonsai",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(_our_page)],
        lifespan=until_the_end,
    )
    throttle = Throttle(dashboard_settings.login_attempts, LOGIN_WINDOW)
    light = with_little_memory(b)
    opened = bootstrap.kept_current(light, environ or {})
    app.state.site = site = Site(
        opened=opened,
        settings=dashboard_settings,
        clock=clock,
        owner=owner,
        drain=drain,
        start_night=start_night,
        environment=make_environment(),
        throttle=throttle,
        tagger=cache(lambda: existing_tagger(light)),
        questions=QuestionQueue(opened, clock),
        environ=environ or {},
        explain=cached_explain(opened),
        https=https,
    )
    if not owner:
        accounts.warm_up()
    for page in PAGES:
        app.include_router(page.router)
    app.mount(PATH, create_api(site))
    app.mount("/static", CachedFiles(directory=FOLDER / "static"))
    for error, handler in error_handlers.HANDLERS:
        app.add_exception_handler(error, handler)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)
    return SafeHeaders(app, https)  # outermost, so that error pages have the headers too


def with_little_memory(b: Bonsai) -> Bonsai:
    """The home with little DuckDB memory and one thread: a night may be running."""
    settings = b.config.dashboard
    database = replace(
        b.database,
        memory_limit=settings.memory_limit,
        threads=settings.threads,
        lock_wait_seconds=settings.lock_wait_seconds,
    ).kept()
    return replace(b, places=replace(b.places, database=database))


def cached_explain(opened: Callable[[], Bonsai]) -> Callable[[str], Explanation]:
    """`explain` with a cache that is dropped on any relevant change: forgotten records must not be shown."""

    @lru_cache(maxsize=EXPLANATIONS)
    def explained(adapter: str, stamp: str) -> Explanation:
        return explain(opened(), adapter)

    return lambda adapter: explained(adapter, explanation_etag(opened()))


def _our_page(request: Request) -> None:
    if not is_from_our_page(request, https=request.app.state.site.https):
        raise Problem(403, "problem_foreign")


class CachedFiles(StaticFiles):
    """Static files under content-dependent addresses."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Starlette's response, cacheable for a year."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
