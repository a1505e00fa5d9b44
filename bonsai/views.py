"""What people look at: one read a function, from the database to values; nothing here changes anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bonsai.decision.results import Reason, render
from bonsai.errors import UnknownId, UsageError
from bonsai.pipeline.parts import Bonsai
from bonsai.texts import TextLanguage
from storage import (
    adapters_table,
    inbox,
    nights_table,
    promotions_table,
    record_versions_table,
    records_table,
    rejects_table,
    uploads,
)
from storage.nights_table import Night
from storage.promotions_table import Promotion
from storage.record_rows import StoredRecord
from storage.record_versions_table import Version
from storage.records_table import RecordFilter
from storage.rejects_table import StoredReject

__all__ = ["RecordFilter"]


@dataclass(frozen=True, slots=True)
class RecordDetail:
    """One record and its past."""

    stored: StoredRecord
    versions: tuple[Version, ...]
    "Oldest first; empty when it was never edited."
    adapters: tuple[str, ...]
    "Ids of the adapters that learned from it."


def list_records(b: Bonsai, wanted: RecordFilter, limit: int | None) -> list[StoredRecord]:
    """The newest `limit` of them, or all; in order of arrival."""
    with b.database.reading() as con:
        return records_table.list_records(con, wanted) if limit is None else records_table.newest(con, wanted, limit)


def count_records(b: Bonsai, wanted: RecordFilter) -> int:
    """How many `list_records` would give without a limit."""
    with b.database.reading() as con:
        return records_table.count(con, wanted)


def show_record(b: Bonsai, record_id: str) -> RecordDetail:
    """By id or a beginning of one. Raises UnknownId."""
    with b.database.reading() as con:
        stored = records_table.get(con, record_id)
        versions = tuple(record_versions_table.versions(con, stored.record.id))
        adapters = adapters_table.learned_from(con, record_versions_table.family(con, stored.record.id))
    return RecordDetail(stored, versions, tuple(adapters))


def list_rejects(b: Bonsai, limit: int | None) -> list[StoredReject]:
    """What could not become a record, and nobody mended or dismissed yet."""
    with b.database.reading() as con:
        return rejects_table.list_rejects(con, limit=limit)


def page_of_rejects(b: Bonsai, limit: int, after: str = "") -> list[StoredReject]:
    """The same, a page at a time: pass the id of the last one as `after`."""
    with b.database.reading() as con:
        return rejects_table.page(con, limit, after)


def show_reject(b: Bonsai, reject: str) -> StoredReject:
    """One of them, settled or not, by id or a beginning of one. Raises UnknownId."""
    with b.database.reading() as con:
        return rejects_table.get(con, reject)


@dataclass(frozen=True, slots=True)
class InboxStatus:
    """What lies in the inbox."""

    pending: int
    oldest: datetime | None
    "When the first of those that wait was submitted."
    done: int
    failed: int
    uploads: int = 0
    "Uploaded files that somebody confirmed and that are being taken in."


def inbox_status(b: Bonsai) -> InboxStatus:
    """Counts files; needs no database."""
    waiting = inbox.pending(b.places.inbox)
    counts = inbox.counts(b.places.inbox)
    oldest = datetime.fromtimestamp(waiting[0].path.stat().st_mtime, UTC) if waiting else None
    confirmed = sum(one.state == "confirmed" for one in uploads.listed(b.places.uploads))
    return InboxStatus(len(waiting), oldest, counts.done, counts.failed, confirmed)


Accuracy = Mapping[str, Mapping[str, Mapping[str, float | None]]]
"Domain -> language -> `before` (the champion's) and `after` (the challenger's), each 0 to 1."


@dataclass(frozen=True, slots=True)
class NightReport:
    """One night, as the terminal and the dashboard show it."""

    night: str
    status: str
    verdict: str
    "The gate's; empty when nothing was judged."
    reasons: tuple[Reason, ...]
    challenger: str
    champion: str
    "Who answered before the night."
    accuracy: Accuracy
    "On the selection pool."
    suite: Accuracy
    "On the owner's suite; empty without one."
    gate: Mapping[str, Any]
    "How often the confirmation pool was opened, and how far the owner's suite is from deciding."
    started_at: datetime
    finished_at: datetime | None
    start: str = ""
    "`cold` or `warm`; empty when nothing trained."
    parent: str = ""
    "Adapter that a warm night started from."
    why: tuple[Reason, ...] = ()
    "Why it started so, and on which records."

    def why_in(self, language: TextLanguage) -> str:
        """The same in words and figures."""
        return "; ".join(render(one, language) for one in self.why)

    def reasons_in(self, language: TextLanguage) -> list[str]:
        """The reasons in words and figures."""
        return [render(reason, language) for reason in self.reasons]


def list_nights(b: Bonsai, limit: int | None) -> list[NightReport]:
    """Newest first."""
    with b.database.reading() as con:
        return [night_report(night) for night in nights_table.list_nights(con, limit)]


def show_night(b: Bonsai, night: str) -> NightReport:
    """By id or an unambiguous beginning of one. Raises UnknownId, UsageError."""
    with b.database.reading() as con:
        keys = [found.key for found in nights_table.list_nights(con) if found.key.startswith(night)] if night else []
        if len(keys) > 1 and night not in keys:
            raise UsageError("cli.ambiguous_night", night=night, found=", ".join(keys[:5]))
        return night_report(nights_table.get(con, night if night in keys or not keys else keys[0]))


def night_report(night: Night) -> NightReport:
    """A stored night, to be looked at."""
    outcome = night.outcome
    training = _mapping((outcome.report or {}).get("training"))
    return NightReport(
        night=night.key,
        status=outcome.status,
        verdict=outcome.verdict,
        reasons=tuple(_reason(told) for told in outcome.reasons),
        challenger=outcome.challenger,
        champion=outcome.champion,
        accuracy=_mapping((outcome.report or {}).get("accuracy")),
        suite=_mapping((outcome.report or {}).get("suite")),
        gate=_mapping((outcome.report or {}).get("gate")),
        started_at=night.started_at,
        finished_at=night.finished_at,
        start=str(training.get("start", "")),
        parent=str(training.get("parent", "")),
        why=tuple(
            _reason({"key": training[part], "values": training["values"]}) for part in ("why", "what") if training
        ),
    )


def _reason(told: Mapping[str, Any]) -> Reason:
    values = told.get("values", {})
    pairs = values.items() if isinstance(values, Mapping) else values
    return Reason(str(told["key"]), tuple((str(name), value) for name, value in pairs))


def _mapping(value: object) -> Accuracy:
    return value if isinstance(value, Mapping) else {}


def list_promotions(b: Bonsai) -> list[Promotion]:
    """Newest first."""
    with b.database.reading() as con:
        return promotions_table.list_promotions(con)[::-1]


def show_promotion(b: Bonsai, adapter: str) -> Promotion:
    """By adapter id or an unambiguous beginning of one. Raises UnknownId, UsageError."""
    with b.database.reading() as con:
        found = [one for one in promotions_table.list_promotions(con) if one.adapter.startswith(adapter)]
    if len(found) > 1:
        raise UsageError("pipeline.ambiguous_promotion", id=adapter, found=", ".join(one.adapter for one in found))
    if not found:
        raise UnknownId("storage.unknown_promotion", id=adapter)
    return found[0]


def champion(b: Bonsai) -> str:
    """Id of the adapter that answers, or `base`."""
    with b.database.reading() as con:
        return promotions_table.champion(con).adapter
