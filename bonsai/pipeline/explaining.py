"""Why a candidate was promoted or refused: its rules and slices, the answers that changed, and the records that may
have changed them.

Answers are shown of the selection pool and of the owner's suite alone. The records of a flipped answer are the nearest
by character n-grams among those that the challenger learned and the champion did not: likeness, not proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

from bonsai import trial
from bonsai.benchmark import pools
from bonsai.benchmark.compare import Pair, Slice, compare, slices
from bonsai.benchmark.questions import Item, item_from_values
from bonsai.benchmark.report import ItemResult, Report, accuracy, mean
from bonsai.decision import Decision, Policy
from bonsai.duplicates.nearest import nearest
from bonsai.errors import UnknownId
from bonsai.pipeline import reports
from bonsai.pipeline.parts import Bonsai
from bonsai.pipeline.people import resolve_promotion
from bonsai.promotion import BASE
from bonsai.records import Status
from storage import adapters_table, promotions_table, records_table, suite_table
from storage.connect import Connection
from storage.promotions_table import Promotion
from storage.record_rows import StoredRecord

SHOWN = (trial.SELECTION, trial.SUITE)
"The only sheets whose questions and answers may be shown."
NEAR_RECORDS = 3
LIKE = 0.2
"Share of the question's rarer n-grams that a record must have before it is named at all."


@dataclass(frozen=True, slots=True)
class NearRecord:
    """A record that was new in that night and is like a question."""

    id: str
    instruction: str
    output: str
    likeness: float
    "0 to 1."


@dataclass(frozen=True, slots=True)
class Flip:
    """An answer that was wrong and is right, or the reverse."""

    sheet: str
    item: str
    domain: str
    language: str
    question: str
    reference: str
    before: str
    "What the champion said."
    after: str
    "What the challenger said."
    gained: bool
    "Wrong before, right after."
    records: tuple[NearRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class SliceChange:
    """One slice of a sheet, before and after."""

    sheet: str
    slice: str
    items: int
    before: float | None
    "Share of right answers; None where no answer is right or wrong."
    after: float | None
    gain: float
    "Bits/byte of the reference answers; plus is better."
    low: float | None
    "One-sided bounds of the gain; None with too few facts."
    high: float | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is known of one verdict."""

    promotion: Promotion
    decision: Decision
    evidence: trial.Evidence
    slices: tuple[SliceChange, ...]
    flips: tuple[Flip, ...]
    "Gained ones first; of each direction those first that a new record is most like."
    missing: tuple[str, ...]
    "Sheets whose reports are no longer there."
    new_records: int
    "Learned by the challenger and not by the champion."


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database says of a promotion."""

    promotion: Promotion
    evidence: trial.Evidence
    new: tuple[StoredRecord, ...]
    suite: Mapping[str, Item]


def explain(b: Bonsai, promotion: str) -> Explanation:
    """By adapter id or a beginning of one; the newest for an empty one. Raises UnknownId, UsageError."""
    policy = Policy(**b.config.gate.model_dump(exclude={"mode"}))
    with b.database.reading() as con:
        known = _known(con, promotion)
    told = known.promotion
    hashes = {trial.SELECTION: known.evidence.selection, trial.SUITE: known.evidence.suite}
    asked = [sheet for sheet in SHOWN if hashes[sheet] or not known.evidence.selection]
    found = {
        sheet: reports.pair(b.places.reports, told.adapter, told.judged_against, sheet, hashes[sheet])
        for sheet in asked
    }
    pairs = {sheet: pair for sheet, pair in found.items() if pair}
    texts = {**{item.id: item for item in pools.asked("selection", known.evidence.dealing)}, **known.suite}
    flips = [flip for sheet, pair in pairs.items() for flip in _flips(sheet, pair, texts)]
    return Explanation(
        promotion=told,
        decision=_decision(told.decision),
        evidence=known.evidence,
        slices=tuple(one for sheet, pair in pairs.items() for one in _slices(sheet, pair, policy)),
        flips=tuple(sorted(_with_records(flips, known.new), key=_order)),
        missing=tuple(sheet for sheet in asked if sheet not in pairs and (hashes[sheet] or sheet == trial.SELECTION)),
        new_records=len(known.new),
    )


def _known(con: Connection, prefix: str) -> _Known:
    promotion = _newest(con) if not prefix else promotions_table.get(con, resolve_promotion(con, prefix))
    champion = [promotion.judged_against] if promotion.judged_against != BASE else []
    learned = adapters_table.records_of(con, [promotion.adapter]) - adapters_table.records_of(con, champion)
    stored = records_table.get_many(con, learned)
    items = [one for one in suite_table.all_items(con) if one.item]
    return _Known(
        promotion,
        trial.Evidence(**promotion.decision.get("evidence", {})),  # type: ignore[arg-type]
        tuple(one for one in stored if one.status is not Status.FORGOTTEN),
        {one.id: item_from_values(one.item) for one in items},
    )


def _newest(con: Connection) -> Promotion:
    found = promotions_table.list_promotions(con)
    if not found:
        raise UnknownId("explain.no_promotion")
    return found[-1]


def _decision(told: Mapping[str, object]) -> Decision:
    names = {field.name for field in fields(Decision)}
    return trial.decision_from_json({name: value for name, value in told.items() if name in names})


def _slices(sheet: str, pair: Pair, policy: Policy) -> Iterable[SliceChange]:
    """All, the languages, and each domain in each language that has enough facts."""
    parts = [Slice("all"), Slice("ja", None, "ja"), Slice("en", None, "en")]
    small = () if sheet == trial.SUITE else slices(pair.challenger, policy.min_slice_clusters)
    for part in (*parts, *small):
        found = compare(pair, part, policy.bits, policy.slice_bootstrap, frozenset())
        if found.items:
            before, after = (_right(one, part) for one in (pair.champion, pair.challenger))
            made, alpha = found.estimate, policy.alpha
            low, high = (made.lower(alpha), made.upper(alpha)) if made else (None, None)
            yield SliceChange(sheet, part.name, found.items, before, after, found.mean, low, high)


def _right(report: Report, part: Slice) -> float | None:
    return mean((item for item in report.items if part.holds(item)), accuracy)


def _flips(sheet: str, pair: Pair, texts: Mapping[str, Item]) -> Iterable[Flip]:
    """Answers that changed sides; those to a question that was forgotten since are left out."""
    before = {item.id: item for item in pair.champion.items}
    for after in pair.challenger.items:
        was, asked = before[after.id], texts.get(after.id)
        if asked is not None and accuracy(was) != accuracy(after):
            yield _flip(sheet, asked, was, after)


def _flip(sheet: str, asked: Item, was: ItemResult, now: ItemResult) -> Flip:
    return Flip(
        sheet=sheet,
        item=asked.id,
        domain=asked.domain,
        language=asked.language,
        question="\n".join(part for part in (asked.instruction, asked.input) if part),
        reference=asked.reference,
        before=was.free.response,
        after=now.free.response,
        gained=bool(accuracy(now)),
    )


def _with_records(flips: list[Flip], new: tuple[StoredRecord, ...]) -> tuple[Flip, ...]:
    """Each flip with the new records that are most like its question and answer."""
    texts = [f"{one.record.instruction} {one.record.input} {one.record.output}" for one in new]
    queries = [f"{flip.question} {flip.reference}" for flip in flips]
    found = nearest(queries, texts, most=NEAR_RECORDS, at_least=LIKE)
    return tuple(
        replace(flip, records=tuple(_near(new[one.number], one.likeness) for one in near))
        for flip, near in zip(flips, found, strict=True)
    )


def _order(flip: Flip) -> tuple[bool, float]:
    return not flip.gained, -max((near.likeness for near in flip.records), default=0.0)


def _near(stored: StoredRecord, likeness: float) -> NearRecord:
    return NearRecord(stored.record.id, stored.record.instruction, stored.record.output, round(likeness, 3))
