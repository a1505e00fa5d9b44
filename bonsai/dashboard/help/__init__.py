"""Help: the loop explained to a newcomer, every page, the keys, the gate's words."""

from bonsai.dashboard.help.routes import router

__all__ = ["router"]
