"""Settings: what holds now, where each value comes from, what it does; to read, for changing means a file."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from bonsai.config_explained import explain_settings
from bonsai.dashboard.settings import shown
from bonsai.dashboard.web import Admin

router = APIRouter()


@router.get("/settings")
def show(visit: Admin) -> Response:
    """Read anew with every look, as commands and nights do."""
    found = explain_settings(visit.b.home, visit.site.environ, visit.language)
    return visit.page(
        "settings/settings.html",
        file=visit.b.places.settings_file,
        sections=shown.sections(found),
        changed=[shown.row(one) for one in found if one.origin],
    )
