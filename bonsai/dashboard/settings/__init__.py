"""Settings: what holds now, and where each value comes from."""

from bonsai.dashboard.settings.routes import router

__all__ = ["router"]
