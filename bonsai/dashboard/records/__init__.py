"""Records: tell one, browse, look at one, edit, forget; and the lines that became none."""

from fastapi import APIRouter

from bonsai.dashboard.records import browsing, editing, entering, pairs, rejects, routes, tagging, timeline, upload

router = APIRouter()
for part in (browsing, entering, upload, rejects, editing, pairs, tagging, timeline, routes):  # `/records/ID` last
    router.include_router(part.router)

__all__ = ["router"]
