"""The dashboard's overview: champion, pending work, coverage and score history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from bonsai.context import Bonsai
from bonsai.domain.promotion import BASE, State
from bonsai.errors import BenchmarkError
from bonsai.evaluate import questions, report
from bonsai.evaluate.report import Report, accuracy
from bonsai.evaluate.statistics import Bootstrap, estimate
from storage import inbox
from storage.connect import Connection
from storage.scale import counters
from storage.tables import promotions_table, rejects_table
from storage.tables.promotions_table import Logged

SCORED_LANGUAGES = ("ja", "en")
ALPHA = 0.025
"One-sided level: both bounds together make a 95 % interval."
CONTRADICTION = "duplicates.contradiction"
MIN_CLUSTERS = 10


@dataclass(frozen=True, slots=True)
class Champion:
    """The current champion."""

    adapter: str
    "Adapter id, or `base`."
    since: datetime | None
    "None before the first promotion."
    who: str = ""
    "Who promoted it: a person, or `gate`."


@dataclass(frozen=True, slots=True)
class PendingWork:
    """Work that waits for a person or the next drain."""

    promotions: int
    promotion: str
    "Adapter id of the waiting promotion, if there is exactly one."
    contradictions: int
    held_back: int
    "Contradictions among them."
    uncertain: int
    suspects: int
    rejects: int
    inbox: int


@dataclass(frozen=True, slots=True)
class Score:
    """A champion's share of right answers on the score pool, which no rule reads."""

    adapter: str
    since: datetime
    language: str
    share: float
    low: float | None
    "95 % interval over facts; None with too few of them."
    high: float | None


@dataclass(frozen=True, slots=True)
class Overview:
    """All values of the overview page."""

    champion: Champion
    waiting: PendingWork
    coverage: Mapping[tuple[str, str], int]
    "(language, category) -> active records."
    scores: tuple[Score, ...]
    "Of the newest champions, oldest first."


def overview(b: Bonsai, champions: int = 12) -> Overview:
    """The overview, with scores of the last `champions` champions."""
    with b.database.reading() as con:
        log = promotions_table.log(con)
        answering = promotions_table.champion(con).adapter
        waiting = _pending(con, len(inbox.pending(b.places.inbox)))
        coverage = counters.coverage(con)
    changes = [line for line in log if line.entry.champion_before != line.entry.champion_after]
    last = changes[-1].entry if changes else None
    champion = Champion(answering, last.at if last else None, last.who if last else "")
    return Overview(champion, waiting, coverage, scores(b.places.reports, changes[-champions:]))


def _pending(con: Connection, in_inbox: int) -> PendingWork:
    records, promotions = counters.record_counts(con), promotions_table.list_promotions(con, State.WAITING)
    return PendingWork(
        promotions=len(promotions),
        promotion=promotions[0].adapter if len(promotions) == 1 else "",
        contradictions=records.contradictions,
        held_back=records.held_back,
        uncertain=records.uncertain,
        suspects=records.suspects,
        rejects=rejects_table.count_open(con),
        inbox=in_inbox,
    )


def scores(reports: Path, changes: list[Logged]) -> tuple[Score, ...]:
    """Scores at each change of champion; champions without a report (the base, a lost file) are left out.

    All are of one version, the newest that has any: two versions ask different questions.
    """
    by_version = (_scores(reports, changes, version) for version in reversed(questions.VERSIONS))
    return next((found for found in by_version if found), ())


def _scores(reports: Path, changes: list[Logged], version: str) -> tuple[Score, ...]:
    name = questions.set_name("score", version).replace("/", "-")
    found: list[Score] = []
    for line in changes:
        adapter = line.entry.champion_after
        stored = [] if adapter == BASE else reports.glob(f"{adapter}-{name}-*.json")
        written = {path: path.stat().st_mtime_ns for path in stored}
        if written:
            newest = max(written, key=lambda path: written[path])
            for language, share, low, high in _measured(newest, written[newest]):
                found.append(Score(adapter, line.entry.at, language, share, low, high))
    return tuple(found)


Measured = tuple[str, float, float | None, float | None]
"Language, share of right answers, lower and upper bound."


@cache
def _measured(path: Path, changed_ns: int) -> tuple[Measured, ...]:
    """Cached: a report never changes and takes 30 ms to read."""
    try:
        read = report.read(path)
    except BenchmarkError:
        return ()
    return tuple(made for language in SCORED_LANGUAGES if (made := _measure(read, language)))


def _measure(read: Report, language: str) -> Measured | None:
    items = [one for one in read.items if one.language == language]
    right = [(one, value) for one in items if (value := accuracy(one)) is not None]
    if not right:
        return None
    share = sum(value for _, value in right) / len(right)
    made = estimate(
        [value for _, value in right],
        [one.cluster for one, _ in right],
        [language] * len(right),
        Bootstrap(resamples=2_000, seed=1, min_clusters=MIN_CLUSTERS, min_stratum_clusters=1),
    )
    if made is None:
        return language, share, None, None
    return language, made.mean, max(made.lower(ALPHA), 0.0), min(made.upper(ALPHA), 1.0)
