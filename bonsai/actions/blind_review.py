"""Blind review, question by question. Each call reads the person's state, so a review can be interrupted.

Until a round ends nobody sees its tally, the reviewer included: it would invite guessing which answer is whose.
Verdicts are stored one by one; the first one fixes the length of the round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bonsai.context import Bonsai
from bonsai.errors import UsageError
from bonsai.evaluate import blind_review
from bonsai.evaluate.blind_review import SIDES, BlindPair, BlindQuestion, Tally
from bonsai.queries.answers import ComparedAnswer, promotion_context, read_visible_answers
from storage.tables import reviews_table
from storage.tables.promotions_table import Promotion
from storage.tables.reviews_table import Verdict


@dataclass(frozen=True, slots=True)
class ReviewState:
    """A person's progress in the review of one promotion."""

    adapter: str
    judged_against: str
    question: BlindPair | None
    "Next question; None if the round is finished or there is nothing to ask."
    done: int
    asked: int
    "Questions in the round; 0 if no answer changed or the reports no longer exist."
    tally: Tally | None
    "Preferences; None until the round is finished."


@dataclass(frozen=True, slots=True)
class _Review:
    """A person's round with its questions and verdicts."""

    promotion: Promotion
    person: str
    questions: tuple[BlindQuestion, ...]
    "Of the round, in order."
    given: tuple[Verdict, ...]

    @property
    def adapter(self) -> str:
        return self.promotion.adapter

    @property
    def left(self) -> list[BlindQuestion]:
        """Unanswered questions; empty once the round is finished, whatever was added since."""
        answered = {one.item for one in self.given}
        finished = bool(self.given) and len(self.given) >= self.given[-1].asked
        return [] if finished else [one for one in self.questions if one.item not in answered]

    def standing(self) -> ReviewState:
        left = self.left
        return ReviewState(
            adapter=self.adapter,
            judged_against=self.promotion.judged_against,
            question=blind_review.blind(left[0], self.adapter, self.person) if left else None,
            done=len(self.given),
            asked=len(self.given) + len(left),  # fewer than at first if a question was forgotten
            tally=None if left or not self.given else blind_review.tally([one.preferred for one in self.given]),
        )


def review_state(b: Bonsai, promotion: str, person: str) -> ReviewState:
    """`promotion` is an adapter id or a prefix of one; empty means the newest. Raises UnknownId."""
    return _review(b, promotion, person).standing()


def _review(b: Bonsai, promotion: str, person: str) -> _Review:
    with b.database.reading() as con:
        known = promotion_context(con, promotion)
        given = reviews_table.of_promotion(con, known.promotion.adapter, person)
    questions = _questions(read_visible_answers(b, known).answers)
    return _Review(
        known.promotion, person, blind_review.round_of(questions, known.promotion.adapter, person), tuple(given)
    )


def _questions(answers: Sequence[ComparedAnswer]) -> list[BlindQuestion]:
    """Questions worth asking: see `bonsai.evaluate.blind_review`."""
    return [
        BlindQuestion(
            item=one.item,
            cluster=one.cluster,
            language=one.language,
            question_language=one.question_language,
            question=one.question,
            reference=one.reference,
            champion=one.before,
            challenger=one.after,
        )
        for one in answers
        if one.turn in ("gained", "lost") or (one.turn == "changed" and one.is_right is None)
    ]


def add_verdict(b: Bonsai, promotion: str, person: str, item: str, side: str, now: datetime) -> ReviewState:
    """Store a verdict and return the next question. Idempotent: a resubmitted form changes nothing.

    Raises UsageError for an invalid side or a question outside the round, UnknownId.
    """
    chosen = next((one for one in SIDES if one == side), None)
    if chosen is None:
        raise UsageError("review.unknown_side", value=side, valid=", ".join(SIDES))
    desk = _review(b, promotion, person)
    if item in {one.item for one in desk.given}:
        return desk.standing()
    if item not in {one.item for one in desk.left}:
        raise UsageError("review.not_asked", item=item[:80])
    made, number = blind_review.preferred(chosen, desk.adapter, person, item), len(desk.given) + 1
    verdict = Verdict(desk.adapter, person, item, number, made, desk.standing().asked, now)
    with b.database.writing() as con:
        reviews_table.add(con, verdict)
    return replace(desk, given=(*desk.given, verdict)).standing()


def undo_verdict(b: Bonsai, promotion: str, person: str) -> ReviewState:
    """Reopen the last question. Raises UsageError if there is none, or the result was already shown."""
    desk = _review(b, promotion, person)
    if not desk.left or not desk.given:
        raise UsageError("review.nothing_to_take_back")
    with b.database.writing() as con:
        reviews_table.take_back(con, desk.adapter, person)
    return replace(desk, given=desk.given[:-1]).standing()
