"""Records: tell one, browse, look at one, forget; and the lines that became none."""

from fastapi import APIRouter

from bonsai.dashboard.records import entering, rejects, routes, upload

router = APIRouter()
for part in (entering, upload, rejects, routes):  # `/records/new` and `/records/upload` before `/records/ID`
    router.include_router(part.router)

__all__ = ["router"]
