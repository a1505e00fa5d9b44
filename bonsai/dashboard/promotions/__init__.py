"""Promotions: the list with its history, one with its reasons, a person's word on it."""

from bonsai.dashboard.promotions.routes import router

__all__ = ["router"]
