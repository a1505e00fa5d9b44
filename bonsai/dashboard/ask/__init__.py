"""Ask: a question, its answers side by side, thumbs, corrections, what was asked before."""

from bonsai.dashboard.ask.routes import router

__all__ = ["router"]
