"""Assembles the API: an application of its own under /api/v1, with tokens and without cookies."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from bonsai import __version__
from bonsai.auth.throttling import TokenBuckets
from bonsai.i18n import TextLanguage
from bonsai.web.api import (
    adapters,
    bases,
    document,
    nights,
    pairs,
    problems,
    promotions,
    questions,
    records,
    rejects,
    timeline,
    uploads,
)
from bonsai.web.api.middleware import DOCUMENT, ApiMiddleware
from bonsai.web.request import Site, accepted_language

PATH = "/api/v1"
ROUTERS = (
    *(nights.overview, records.router, records.changes, records.submissions, records.tagging, pairs.router),
    *(timeline.router, uploads.router, rejects.router, questions.router, adapters.router),
    *(bases.router, promotions.router, nights.router, nights.progress),
)
"In the order of the document."


def create_api(site: Site) -> ASGIApp:
    """The ASGI application mounted at `PATH`."""
    api = make_api()
    api.state.site = site
    for error, handler in problems.HANDLERS:
        api.add_exception_handler(error, handler)
    limits = site.b.config.api
    return ApiMiddleware(
        api,
        site,
        by_address=TokenBuckets(limits.requests_per_minute, limits.address_burst),
        by_token=TokenBuckets(limits.requests_per_minute, limits.burst),
    )


def make_api() -> FastAPI:
    """The routes without a home: enough for the document."""
    api = FastAPI(
        title="Bonsai",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    for router in ROUTERS:
        api.include_router(router)

    api.add_exception_handler(405, _other_method)

    @api.get(DOCUMENT, include_in_schema=False)
    def openapi(request: Request) -> Response:
        language = accepted_language(request.headers.get("accept-language", ""))
        return JSONResponse(openapi_document(language), headers={"Content-Language": language})

    return api


@cache
def openapi_document(language: TextLanguage) -> dict[str, Any]:
    """OpenAPI 3.1, localised."""
    return document.localised(make_api(), PATH, language)


async def _other_method(request: Request, error: Exception) -> Response:
    """405 with the methods of all routes at the address; Starlette names those of one route."""
    assert isinstance(error, HTTPException)
    path, paths = request.url.path.removeprefix(request.scope.get("root_path", "")), openapi_document("en")["paths"]
    alike = (known for known in paths if re.fullmatch(re.sub(r"{\w+}", "[^/]+", known), path))
    known = path if path in paths else next(alike, "")
    methods = ", ".join(method.upper() for method in paths.get(known, ("get",)))
    return problems.answer(request, HTTPException(405, headers={"Allow": methods}))


def _operation_id(route: APIRoute) -> str:
    return route.name
