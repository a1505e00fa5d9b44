"""Adapters: the list, one passport with its lineage down to records, the download."""

from bonsai.dashboard.adapters.routes import router

__all__ = ["router"]
