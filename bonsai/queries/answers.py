"""Champion's and challenger's answers to every question that may be shown: selection pool and personal set.

The confirmation and score pools are sealed (`bonsai.evaluate.questions`) and never opened here. Everything that shows
an answer (`promotions show`, `answers`, `review`, the pages) gets it from this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from bonsai.context import Bonsai
from bonsai.domain.characters import normalise
from bonsai.errors import BenchmarkError, UnknownId, UsageError
from bonsai.evaluate import questions, report
from bonsai.evaluate.compare import ReportPair
from bonsai.evaluate.questions import Item
from bonsai.evaluate.report import ItemResult, Report, accuracy
from bonsai.gate.rules import SAME
from bonsai.night import evaluation_job
from bonsai.system.json_values import from_values
from storage.connect import Connection
from storage.tables import personal_set_table, promotions_table
from storage.tables.promotions_table import Promotion

AnswerChange = Literal["gained", "lost", "changed", "same"]
ANSWER_CHANGES: tuple[AnswerChange, ...] = get_args(AnswerChange)
CORRECTNESS = ("right", "wrong", "open")
"Correctness of the challenger's answer; `open`: no single answer is right."


@dataclass(frozen=True, slots=True)
class ComparedAnswer:
    """One question with both models' answers."""

    question_set: str
    item: str
    cluster: str
    "The fact that the question asks about."
    domain: str
    language: str
    "Language of the answer."
    question_language: str
    question: str
    reference: str
    before: str
    "The champion's answer."
    after: str
    "The challenger's answer."
    was_right: bool | None
    "None if no single answer is right."
    is_right: bool | None

    @property
    def turn(self) -> AnswerChange:
        """Correctness gained, lost, or unchanged with other or the same words."""
        if self.was_right != self.is_right:
            return "gained" if self.is_right else "lost"
        return "same" if self.before.strip() == self.after.strip() else "changed"

    @property
    def stands(self) -> str:
        """Correctness of the challenger's answer, one of RIGHT."""
        return "open" if self.is_right is None else "right" if self.is_right else "wrong"


@dataclass(frozen=True, slots=True)
class AnswerFilter:
    """Filter over answers; an empty field does not filter."""

    text: str = ""
    "Part of the question, the reference or either answer; case and width are ignored."
    language: str = ""
    topic: str = ""
    turn: str = ""
    "One of ANSWER_CHANGES."
    right: str = ""
    "One of RIGHT."

    def holds(self, one: ComparedAnswer) -> bool:
        """Whether an answer passes the filter."""
        exact = ((self.language, one.language), (self.topic, one.domain), (self.turn, one.turn))
        if any(expected not in ("", actual) for expected, actual in (*exact, (self.right, one.stands))):
            return False
        words = "\n".join((one.question, one.reference, one.before, one.after))
        return normalise(self.text).casefold() in normalise(words).casefold()


@dataclass(frozen=True, slots=True)
class PromotionContext:
    """What the database stores about a promotion."""

    promotion: Promotion
    evidence: evaluation_job.Evidence
    suite: Mapping[str, Item]
    "The owner's items that were not forgotten, retired ones included."


@dataclass(frozen=True, slots=True)
class VisibleAnswers:
    """Everything that may be shown of one comparison."""

    promotion: Promotion
    pairs: Mapping[str, ReportPair]
    "By question set."
    missing: tuple[str, ...]
    "Question sets whose reports no longer exist."
    answers: tuple[ComparedAnswer, ...]
    "In question order; items that were forgotten since are left out."


def visible_answers(b: Bonsai, promotion: str) -> VisibleAnswers:
    """`promotion` is an adapter id or a prefix of one; empty means the newest. Raises UnknownId, UsageError."""
    with b.database.reading() as con:
        known = promotion_context(con, promotion)
    return read_visible_answers(b, known)


def list_answers(b: Bonsai, promotion: str, answer_filter: AnswerFilter) -> list[ComparedAnswer]:
    """The answers that pass the filter, in a fixed order. Raises UnknownId, UsageError."""
    for name, value, valid in (
        ("turn", answer_filter.turn, ANSWER_CHANGES),
        ("right", answer_filter.right, CORRECTNESS),
    ):
        if value and value not in valid:
            raise UsageError("review.unknown_filter", name=name, value=value, valid=", ".join(valid))
    return [one for one in visible_answers(b, promotion).answers if answer_filter.holds(one)]


def promotion_context(con: Connection, prefix: str) -> PromotionContext:
    """Read a promotion and its items from the database. Raises UnknownId, UsageError."""
    promotion = promotion_of(con, prefix)
    items = [one for one in personal_set_table.all_items(con) if one.item]
    return PromotionContext(
        promotion,
        evaluation_job.Evidence(**promotion.evidence),
        {one.id: from_values(Item, one.item) for one in items},
    )


def promotion_of(con: Connection, prefix: str) -> Promotion:
    """By adapter id or prefix; the newest if empty. Raises UnknownId, UsageError."""
    if prefix:
        return promotions_table.resolve(con, prefix)
    found = promotions_table.list_promotions(con)
    if not found:
        raise UnknownId("explain.no_promotion")
    return found[-1]


def read_visible_answers(b: Bonsai, known: PromotionContext) -> VisibleAnswers:
    """Read the reports behind the verdict, in the version that it was given by; needs no database."""
    promotion, evidence = known.promotion, known.evidence
    selection = questions.set_name("selection", evidence.benchmark)
    hashes = {selection: evidence.selection, evaluation_job.PERSONAL: evidence.suite}  # all that may be shown
    asked = [name for name in hashes if hashes[name] or not evidence.selection]
    both = promotion.adapter, promotion.judged_against
    found = {name: newest_pair(b.places.reports, *both, name, hashes[name]) for name in asked}
    pairs = {name: pair for name, pair in found.items() if pair}
    fixed = questions.items("selection", evidence.dealing, evidence.benchmark)
    texts = {**{item.id: item for item in fixed}, **known.suite}
    return VisibleAnswers(
        promotion=promotion,
        pairs=pairs,
        missing=tuple(name for name in asked if name not in pairs and (hashes[name] or name == selection)),
        answers=tuple(one for name, pair in pairs.items() for one in _compared(name, pair, texts)),
    )


def _compared(question_set: str, pair: ReportPair, texts: Mapping[str, Item]) -> Iterable[ComparedAnswer]:
    before = {item.id: item for item in pair.champion.items}
    for after in pair.challenger.items:
        was, asked = before[after.id], texts.get(after.id)
        if asked is not None:
            yield _one(question_set, asked, was, after)


def _one(question_set: str, asked: Item, was: ItemResult, now: ItemResult) -> ComparedAnswer:
    was_right, is_right = accuracy(was), accuracy(now)
    return ComparedAnswer(
        question_set=question_set,
        item=asked.id,
        cluster=asked.cluster,
        domain=asked.domain,
        language=asked.language,
        question_language=asked.question_language,
        question="\n".join(part for part in (asked.instruction, asked.input) if part),
        reference=asked.reference,
        before=was.free.response,
        after=now.free.response,
        was_right=None if was_right is None else bool(was_right),
        is_right=None if is_right is None else bool(is_right),
    )


def stored_reports(folder: Path, adapter: str, question_set: str) -> list[Report]:
    """Readable reports of an adapter on a question set, newest first.

    Damaged ones are skipped; they are rebuilt on demand.
    """
    found = []
    for path in folder.glob(f"{adapter}-{question_set.replace('/', '-')}-*.json"):
        try:
            found.append(report.read(path))
        except BenchmarkError:
            continue
    return sorted((one for one in found if one.benchmark == question_set), key=lambda one: one.created_at, reverse=True)


def newest_pair(folder: Path, left: str, right: str, question_set: str, items_hash: str = "") -> ReportPair | None:
    """The newest two comparable reports; with `items_hash`, only those with these items."""
    reports = [one for one in stored_reports(folder, left, question_set) if items_hash in ("", one.items_hash)]
    others = stored_reports(folder, right, question_set)
    pairs = (ReportPair(one, other) for one in reports for other in others if comparable(one, other))
    return next(pairs, None)


def comparable(one: Report, other: Report) -> bool:
    """Whether two reports may be compared: same items, same settings."""
    return all(getattr(one, name) == getattr(other, name) for name in SAME)
