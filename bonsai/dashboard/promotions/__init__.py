"""Promotions: the list with its history, one with its reasons and evidence, blind reviews, a person's word on it."""

from fastapi import APIRouter

from bonsai.dashboard.promotions import evidence_routes, review_routes, routes

router = APIRouter()
for part in (review_routes, evidence_routes, routes):  # the last one takes any action's name
    router.include_router(part.router)

__all__ = ["router"]
