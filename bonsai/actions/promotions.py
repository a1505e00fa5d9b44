"""A person's decisions on promotions: approve, reject, roll back."""

from __future__ import annotations

from datetime import datetime

from bonsai.context import Bonsai
from bonsai.domain.promotion import State
from bonsai.errors import PromotionError
from storage.connect import Connection
from storage.tables import promotions_table
from storage.tables.promotions_table import Promotion


def approve(b: Bonsai, promotion: str, *, by: str, reason: str, now: datetime, version: int | None = None) -> Promotion:
    """Promote a waiting or rejected adapter, or a former champion.

    `version` is the champion's version that the person saw; nothing happens if it has changed. Raises PromotionError,
    UnknownId.
    """
    with b.database.writing() as con:
        _require_version(con, version)
        adapter = promotions_table.resolve(con, promotion).adapter
        former = promotions_table.get(con, adapter).state in (State.REPLACED, State.ROLLED_BACK)
        (promotions_table.restore if former else promotions_table.approve)(con, adapter, by, reason, now)
        return promotions_table.get(con, adapter)


def reject(b: Bonsai, promotion: str, *, by: str, reason: str, now: datetime, version: int | None = None) -> Promotion:
    """Reject a candidate."""
    with b.database.writing() as con:
        _require_version(con, version)
        adapter = promotions_table.resolve(con, promotion).adapter
        promotions_table.reject(con, adapter, by, reason, now)
        return promotions_table.get(con, adapter)


def rollback(
    b: Bonsai, *, by: str, reason: str, now: datetime, adapter: str = "", version: int | None = None
) -> Promotion:
    """Promote the champion's predecessor again; returns the promotion that was undone.

    `adapter` is the champion to undo; nothing happens if another one has replaced it.
    """
    with b.database.writing() as con:
        _require_version(con, version)
        before = promotions_table.champion(con)
        if adapter and before.adapter != adapter:
            raise PromotionError("promotion.not_champion", adapter=adapter, champion=before.adapter)
        promotions_table.roll_back(con, by, reason, now)
        return promotions_table.get(con, before.adapter)


def _require_version(con: Connection, version: int | None) -> None:
    answering = promotions_table.champion(con)
    if version is not None and answering.version != version:
        raise PromotionError("pipeline.champion_changed", champion=answering.adapter)
