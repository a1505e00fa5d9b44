"""Records: tell one, browse, look at one, forget; and the lines that became none."""

from bonsai.dashboard.records.routes import router

__all__ = ["router"]
