"""The first page."""

from bonsai.dashboard.home.routes import router

__all__ = ["router"]
