"""What people do to records and promotions, one function an action: read, decide by the stages' rules, write once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bonsai import tags
from bonsai.errors import PromotionError, UsageError
from bonsai.pipeline.parts import Bonsai
from bonsai.pipeline.records.intake import CHUNK
from bonsai.pipeline.records.learned_tagger import learn_tagger
from bonsai.pipeline.verdicts.owners_suite import retire_asked
from bonsai.progress import Progress, Report, silent
from bonsai.promotion import State
from bonsai.records import Status
from storage import promotions_table, record_versions_table, records_table
from storage.connect import Connection
from storage.promotions_table import Promotion


def release_records(b: Bonsai, ids: Sequence[str], by: str, now: datetime) -> tuple[str, ...]:
    """Let held-back, suspect or excluded records train; a question of the owner's suite that one asks retires."""
    with b.database.writing() as con:
        released = [record_versions_table.release(con, _full(con, one), by, now).record for one in ids]
        for record in released:
            retire_asked(con, record, by, now)
    return tuple(record.id for record in released)


def exclude_records(b: Bonsai, ids: Sequence[str], by: str, now: datetime) -> tuple[str, ...]:
    """Keep records out of training."""
    with b.database.writing() as con:
        return tuple(record_versions_table.exclude(con, _full(con, one), by, now).record.id for one in ids)


def _full(con: Connection, prefix: str) -> str:
    return records_table.resolve(con, prefix)


def approve(b: Bonsai, promotion: str, *, by: str, reason: str, now: datetime, version: int | None = None) -> Promotion:
    """Make a waiting or refused adapter the champion, or a former champion again.

    `version` of the champion that the person saw: if it is another one by now, nothing is done.
    Raises PromotionError, UnknownId.
    """
    with b.database.writing() as con:
        _require_version(con, version)
        adapter = resolve_promotion(con, promotion)
        former = promotions_table.get(con, adapter).state in (State.REPLACED, State.ROLLED_BACK)
        (promotions_table.restore if former else promotions_table.approve)(con, adapter, by, reason, now)
        return promotions_table.get(con, adapter)


def reject(b: Bonsai, promotion: str, *, by: str, reason: str, now: datetime, version: int | None = None) -> Promotion:
    """Refuse a candidate."""
    with b.database.writing() as con:
        _require_version(con, version)
        adapter = resolve_promotion(con, promotion)
        promotions_table.reject(con, adapter, by, reason, now)
        return promotions_table.get(con, adapter)


def rollback(
    b: Bonsai, *, by: str, reason: str, now: datetime, adapter: str = "", version: int | None = None
) -> Promotion:
    """The champion's predecessor answers again; gives the promotion that was taken back.

    `adapter`: who was meant; if another one answers by now, somebody else was quicker, and that one stays.
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


def resolve_promotion(con: Connection, prefix: str) -> str:
    """The adapter whose id begins with `prefix`. Raises UsageError for several, UnknownId for none."""
    found = [one.adapter for one in promotions_table.list_promotions(con) if one.adapter.startswith(prefix)]
    if len(found) > 1:
        raise UsageError("pipeline.ambiguous_promotion", id=prefix, found=", ".join(found))
    return found[0] if found else promotions_table.get(con, prefix).adapter


def retag(b: Bonsai, now: datetime, report: Report = silent) -> int:
    """Give the automatic tags anew, learning from what people said; their tags stay. How many records changed."""
    tagger = learn_tagger(b)
    with b.database.reading() as con:
        stored = [one for one in records_table.list_records(con) if one.status is not Status.FORGOTTEN]
    changed = 0
    for start in range(0, len(stored), CHUNK):
        chunk = stored[start : start + CHUNK]
        found = tags.retag_batch(
            [one.record for one in chunk],
            [one.tags for one in chunk],
            tagger,
            threshold=b.config.tags.category_threshold,
        )
        new = {one.record.id: made for one, made in zip(chunk, found, strict=True) if made != one.tags}
        with b.database.writing() as con:
            changed += record_versions_table.retag(con, new, now) and len(new)
        report(Progress("tag", start + len(chunk), len(stored)))
    return changed
