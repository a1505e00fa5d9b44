"""/bases: the base models of the home and those that could be added; one with its check."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from bonsai.queries import bases
from bonsai.schemas.bases import BaseDetail, Bases
from bonsai.serializers import bases as serializers
from bonsai.web.api.request import Administering, documented

router = APIRouter(prefix="/bases", tags=["bases"])
BaseName = Annotated[str, Path(pattern="^[0-9A-Za-z._-]{1,100}$", description="api.param_base")]


@router.get("", **documented("list_bases"))
def list_bases(call: Administering) -> Bases:
    """Those of the home first; with the settings of this moment."""
    b = call.b
    found = bases.list_bases(b.home, b.config, b.find_profile(), bases.shipped_profiles())
    return Bases(items=[serializers.row(one, call.language) for one in found])


@router.get("/{base}", **documented("read_base", 404))
def read_base(call: Administering, base: BaseName) -> BaseDetail:
    """Everything known of it, its check included."""
    b = call.b
    found = bases.show_base(b.home, b.config, base, b.find_profile(), bases.shipped_profiles())
    return serializers.detail(found, call.language)
