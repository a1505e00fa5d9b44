"""Records: tell one, browse, look at one, edit, forget; and the lines that became none."""

from fastapi import APIRouter

from bonsai.dashboard.records import editing, entering, pairs, rejects, routes, tagging, timeline, upload

router = APIRouter()
for part in (
    entering,
    upload,
    rejects,
    editing,
    pairs,
    tagging,
    timeline,
    routes,
):  # `/records/new` before `/records/ID`
    router.include_router(part.router)

__all__ = ["router"]
