"""/overview: where everything stands, as the first page says it."""

from __future__ import annotations

from fastapi import APIRouter

from bonsai.queries import overview
from bonsai.web.api import judged
from bonsai.web.api.request import Reading, documented

router = APIRouter(tags=["overview"])


@router.get("/overview", **documented("overview"))
def read_overview(call: Reading) -> judged.Overview:
    """Who answers, what waits, what is known."""
    found = overview.overview(call.b, champions=0)
    coverage = [
        judged.Coverage(language=language, category=category, records=count)
        for (language, category), count in sorted(found.coverage.items())
    ]
    return judged.Overview(
        champion=judged.Champion.model_validate(found.champion),
        waiting=judged.Waiting.model_validate(found.waiting),
        coverage=coverage,
    )
