"""Where everything stands, for the first page of the dashboard: who answers, what waits, what is known; reads only."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from bonsai import trial
from bonsai.benchmark import report
from bonsai.benchmark.report import Report, accuracy
from bonsai.benchmark.statistics import Bootstrap, estimate
from bonsai.errors import BenchmarkError
from bonsai.pipeline.parts import Bonsai
from bonsai.pipeline.verdicts.evidence import History, history_of
from bonsai.promotion import BASE, Pointer, State
from storage import counts_table, inbox, promotions_table, records_pages, rejects_table
from storage.connect import Connection
from storage.promotions_table import Logged
from storage.record_rows import StoredRecord
from storage.records_pages import Sort
from storage.records_table import RecordFilter
from storage.search import search

SCORED_LANGUAGES = ("ja", "en")
LEVEL = 0.025
"Of each side: together the interval holds the true score 95 times in 100."
CONTRADICTION = "duplicates.contradiction"
LEAST_CLUSTERS = 10
SEARCH_SECONDS = 0.45
"After which a search says how far it came."
SLICE_SECONDS = 0.06
"""Of a search, between which others may write."""


@dataclass(frozen=True, slots=True)
class Champion:
    """Who answers, and since when."""

    adapter: str
    "Adapter id, or `base`."
    since: datetime | None
    "None before the first promotion."
    who: str = ""
    "Who made it champion: a person, or `gate`."


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits for a person, or for the next intake."""

    promotions: int
    promotion: str
    "Adapter id of the one that waits, when it is the only one."
    contradictions: int
    held_back: int
    "The contradictions among them."
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
    """The first page."""

    champion: Champion
    waiting: Waiting
    coverage: Mapping[tuple[str, str], int]
    "(language, category) -> active records."
    scores: tuple[Score, ...]
    "Of the newest champions, oldest first."


def overview(b: Bonsai, champions: int = 12) -> Overview:
    """Scores are those of the last `champions` champions."""
    with b.database.reading() as con:
        log = promotions_table.log(con)
        answering = promotions_table.champion(con).adapter
        waiting = _waiting(con, len(inbox.pending(b.places.inbox)))
        coverage = counts_table.coverage(con)
    changes = [line for line in log if line.entry.champion_before != line.entry.champion_after]
    last = changes[-1].entry if changes else None
    champion = Champion(answering, last.at if last else None, last.who if last else "")
    return Overview(champion, waiting, coverage, scores(b.places.reports, changes[-champions:]))


def _waiting(con: Connection, in_inbox: int) -> Waiting:
    records, promotions = counts_table.standing(con), promotions_table.list_promotions(con, State.WAITING)
    return Waiting(
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
    """The score of whoever became champion, each time; who has no report (the base, a lost file) is left out."""
    found: list[Score] = []
    for line in changes:
        adapter = line.entry.champion_after
        stored = [] if adapter == BASE else reports.glob(f"{adapter}-{trial.SCORE.replace('/', '-')}-*.json")
        written = {path: path.stat().st_mtime_ns for path in stored}
        if written:
            newest = max(written, key=lambda path: written[path])
            for language, share, low, high in _measured(newest, written[newest]):
                found.append(Score(adapter, line.entry.at, language, share, low, high))
    return tuple(found)


Measured = tuple[str, float, float | None, float | None]
"Language, share, and the bounds of its interval."


@cache
def _measured(path: Path, changed_ns: int) -> tuple[Measured, ...]:
    """Kept, because a report never changes and takes 30 ms to read."""
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
        Bootstrap(resamples=2_000, seed=1, min_clusters=LEAST_CLUSTERS, min_stratum_clusters=1),
    )
    if made is None:
        return language, share, None, None
    return language, made.mean, max(made.lower(LEVEL), 0.0), min(made.upper(LEVEL), 1.0)


def history(b: Bonsai) -> History:
    """The whole promotion log, its chain of hashes computed anew."""
    with b.database.reading() as con:
        return history_of(con)


def pointer(b: Bonsai) -> Pointer:
    """Who answers now, as the rules of promotion see it."""
    with b.database.reading() as con:
        return promotions_table.champion(con)


@dataclass(frozen=True, slots=True)
class Page:
    """Some records."""

    records: tuple[StoredRecord, ...]
    rest: str
    "What to pass as `before` for those beyond it; empty when there are none."
    searched_all: bool = True
    "False: time was up before the page was full; beyond it may be more, or none."


def page_of_records(b: Bonsai, wanted: RecordFilter, limit: int, before: str = "", sort: Sort = "newest") -> Page:
    """Records in an order; for the next page pass `rest` as `before`. Raises UnknownId.

    A search shows the newest first, whatever the order; it closes the database from time to time, so that nobody who
    writes waits for it, and ends after a while.
    """
    if not wanted.text:
        with b.database.reading() as con:
            found = records_pages.page(con, wanted, limit + 1, sort, before)
        return Page(tuple(found[:limit]), found[limit - 1].record.id if len(found) > limit else "")
    until, records, rest = time.monotonic() + SEARCH_SECONDS, list[StoredRecord](), before
    while True:
        with b.database.reading() as con:
            slice_ = search(con, wanted, limit + 1 - len(records), rest, seconds=SLICE_SECONDS)
        records, rest = [*records, *slice_.records], slice_.rest
        if len(records) > limit:
            return Page(tuple(records[:limit]), records[limit - 1].record.id)
        if not rest or time.monotonic() > until:
            return Page(tuple(records), rest, not rest)
