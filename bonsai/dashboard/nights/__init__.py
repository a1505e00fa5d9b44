"""Nights: a month of them, one with its steps and cost, its progress while it runs, start, cancel."""

from bonsai.dashboard.nights.routes import router

__all__ = ["router"]
