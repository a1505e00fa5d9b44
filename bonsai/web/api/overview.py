"""/overview: where everything stands, as the first page says it."""

from __future__ import annotations

from fastapi import APIRouter

from bonsai.queries import overview
from bonsai.schemas.overview import Champion, Coverage, Overview, Waiting
from bonsai.web.api.request import Reading, documented

router = APIRouter(tags=["overview"])


@router.get("/overview", **documented("overview"))
def read_overview(call: Reading) -> Overview:
    """Who answers, what waits, what is known."""
    found = overview.overview(call.b, champions=0)
    coverage = [
        Coverage(language=language, category=category, records=count)
        for (language, category), count in sorted(found.coverage.items())
    ]
    return Overview(
        champion=Champion.model_validate(found.champion),
        waiting=Waiting.model_validate(found.waiting),
        coverage=coverage,
    )
