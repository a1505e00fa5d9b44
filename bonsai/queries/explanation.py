"""Explains a verdict: rules, slices, flipped answers, and the new records that may have flipped them.

Only answers of the selection pool and the personal set are shown. The records of a flipped answer are its nearest
neighbours by character n-grams among those that the challenger was trained on and the champion was not. Similarity is
not proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from bonsai.context import Bonsai
from bonsai.evaluate.compare import ReportPair, Slice, compare, slices
from bonsai.evaluate.report import Report, accuracy, mean
from bonsai.gate.decision import Decision, Policy
from bonsai.ingest.dedup.ngrams import nearest
from bonsai.night import evaluation_job
from bonsai.queries.answers import ComparedAnswer, promotion_context, read_visible_answers
from storage.tables import data_changes, promotions_table
from storage.tables.data_changes import Texts
from storage.tables.promotions_table import Promotion

NEAR_RECORDS = 3
MAX_COMPARED = 10_000
"Newest new records to compare: 5 MB of text, half a second."
MIN_SIMILARITY = 0.2
"Smallest share of the question's rarer n-grams that a record must contain to be named."


@dataclass(frozen=True, slots=True)
class NearRecord:
    """A record new in that night and similar to a question."""

    id: str
    instruction: str
    output: str
    likeness: float
    "0 to 1."


@dataclass(frozen=True, slots=True)
class Flip(ComparedAnswer):
    """An answer whose correctness changed."""

    records: tuple[NearRecord, ...] = ()

    @property
    def gained(self) -> bool:
        """Wrong before, right after."""
        return self.turn == "gained"


@dataclass(frozen=True, slots=True)
class SliceChange:
    """One slice of a question set, before and after."""

    question_set: str
    slice: str
    items: int
    before: float | None
    "Share of right answers; None if none can be marked."
    after: float | None
    gain: float
    "Bits per byte of the reference answers; positive is better."
    low: float | None
    """One-sided bounds of the gain.

    None with fewer facts than the policy requires, or with so few and skewed ones that the bootstrap puts the mean
    beyond every single difference.
    """
    high: float | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The evidence behind one verdict."""

    promotion: Promotion
    decision: Decision
    evidence: evaluation_job.Evidence
    slices: tuple[SliceChange, ...]
    flips: tuple[Flip, ...]
    "Gains first; within each direction, those most similar to a new record first."
    missing: tuple[str, ...]
    "Question sets whose reports no longer exist."
    new_records: int
    "Records that the challenger was trained on and the champion was not."


def explain(b: Bonsai, promotion: str) -> Explanation:
    """`promotion` is an adapter id or a prefix of one; empty means the newest. Raises UnknownId, UsageError."""
    policy = b.config.gate.policy
    with b.database.reading() as con:
        known = promotion_context(con, promotion)
        compared = b.places.snapshots, known.promotion.adapter, known.promotion.judged_against
        counts = data_changes.counts(con, *compared)
    found = read_visible_answers(b, known)
    turned = [one for one in found.answers if one.turn in ("gained", "lost")]
    with b.database.reading() as con:
        new = data_changes.new_texts(con, *compared, most=MAX_COMPARED) if turned else []
    return Explanation(
        promotion=found.promotion,
        decision=found.promotion.decision,
        evidence=known.evidence,
        slices=tuple(one for question_set, pair in found.pairs.items() for one in _slices(question_set, pair, policy)),
        flips=tuple(sorted(_with_records(turned, new), key=_order)),
        missing=found.missing,
        new_records=counts["new"] + counts["edited"],
    )


def explanation_etag(b: Bonsai) -> str:
    """Changes whenever an explanation may have changed; a new record alone changes none."""
    with b.database.reading() as con:
        return promotions_table.etag(con)


def _slices(question_set: str, pair: ReportPair, policy: Policy) -> Iterable[SliceChange]:
    """The whole set, each language, and each (domain, language) with enough facts."""
    parts = [Slice("all"), Slice("ja", None, "ja"), Slice("en", None, "en")]
    small = () if question_set == evaluation_job.PERSONAL else slices(pair.challenger, policy.min_slice_clusters)
    for part in (*parts, *small):
        found = compare(pair, part, policy.bits, policy.slice_bootstrap, frozenset())
        if found.items:
            before, after = (_right(one, part) for one in (pair.champion, pair.challenger))
            low, high = found.bounds(policy.alpha) or (None, None)
            yield SliceChange(question_set, part.name, found.items, before, after, found.mean, low, high)


def _right(report: Report, part: Slice) -> float | None:
    return mean((item for item in report.items if part.holds(item)), accuracy)


def _with_records(turned: Sequence[ComparedAnswer], new: Sequence[Texts]) -> tuple[Flip, ...]:
    """Each flip with the new records most similar to its question and answer."""
    texts = [f"{one.instruction} {one.input} {one.output}" for one in new]
    queries = [f"{one.question} {one.reference}" for one in turned]
    found = nearest(queries, texts, most=NEAR_RECORDS, at_least=MIN_SIMILARITY)
    return tuple(
        Flip(**asdict(one), records=tuple(_near(new[like.number], like.likeness) for like in near))
        for one, near in zip(turned, found, strict=True)
    )


def _order(flip: Flip) -> tuple[bool, float]:
    return not flip.gained, -max((near.likeness for near in flip.records), default=0.0)


def _near(texts: Texts, likeness: float) -> NearRecord:
    return NearRecord(texts.id, texts.instruction, texts.output, round(likeness, 3))
