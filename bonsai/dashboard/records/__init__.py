"""Records: tell one, browse, look at one, forget; and the lines that became none."""

from fastapi import APIRouter

from bonsai.dashboard.records import entering, rejects, routes

router = APIRouter()
for part in (entering, rejects, routes):  # `/records/new` before `/records/ID`
    router.include_router(part.router)

__all__ = ["router"]
