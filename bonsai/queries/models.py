"""Resolves `champion`, `base` and prefixes of adapter ids to models."""

from __future__ import annotations

from bonsai.context import Bonsai
from bonsai.domain.promotion import BASE
from bonsai.errors import UnknownId, UsageError
from bonsai.inference.client import ModelRef
from bonsai.model.bases import find_device
from storage.connect import Connection
from storage.tables import adapters_table, promotions_table

CHAMPION = "champion"


def adapter_id(con: Connection, name: str) -> str:
    """The full adapter id, or `base`. Raises UnknownId if none matches, UsageError if several do."""
    if name == CHAMPION:
        return promotions_table.champion(con).adapter
    if name == BASE:
        return BASE
    found = adapters_table.ids_beginning(con, name) if name else []
    if len(found) > 1:
        raise UsageError("pipeline.ambiguous_adapter", id=name, found=", ".join(found))
    if not found:
        raise UnknownId("pipeline.unknown_adapter", id=name)
    return found[0]


def model_ref(b: Bonsai, name: str) -> ModelRef:
    """Reference to a model by name. The bare base uses the template of this machine's profile. Raises UnknownId."""
    profile = b.config.profiles[b.find_profile()]
    device, form = find_device().kind, profile.recipe.template
    with b.database.reading() as con:
        wanted = adapter_id(con, name)
        if wanted == BASE:
            return ModelRef(profile.base, device, form)
        return ModelRef(profile.base, device, form, wanted, adapters_table.get(con, wanted).folder)
