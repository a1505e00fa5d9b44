"""A blind review, question by question: each call reads where the person stands, so that it may be left at any time.

While a round lasts nobody is told how it stands, not even the person: whoever knew would begin to guess whose answer is
whose. Verdicts are kept one by one; the round's length is fixed with the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bonsai.context import Bonsai
from bonsai.errors import UsageError
from bonsai.evaluate import blind_review
from bonsai.evaluate.blind_review import SIDES, BlindPair, BlindQuestion, Tally
from bonsai.queries.answers import ComparedAnswer, promotion_context, visible_of
from storage.tables import reviews_table
from storage.tables.promotions_table import Promotion
from storage.tables.reviews_table import Verdict


@dataclass(frozen=True, slots=True)
class ReviewState:
    """Where a person stands in the review of one promotion."""

    adapter: str
    judged_against: str
    question: BlindPair | None
    "The next one; None when the round is finished or there is nothing to ask."
    done: int
    asked: int
    "Questions of the round; 0: no answer changed, or the reports are no longer there."
    tally: Tally | None
    "What the person preferred; None until the round is finished."


@dataclass(frozen=True, slots=True)
class _Review:
    """All that lies before one person."""

    promotion: Promotion
    person: str
    questions: tuple[BlindQuestion, ...]
    "The round's, in order."
    given: tuple[Verdict, ...]

    @property
    def adapter(self) -> str:
        return self.promotion.adapter

    @property
    def left(self) -> list[BlindQuestion]:
        """Not answered yet; none when the round was finished, whatever came to light since."""
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
            asked=len(self.given) + len(left),  # fewer than at first when a question was forgotten since
            tally=None if left or not self.given else blind_review.tally([one.preferred for one in self.given]),
        )


def review_state(b: Bonsai, promotion: str, person: str) -> ReviewState:
    """Where the person stands; by adapter id or a beginning of one, the newest for an empty one. Raises UnknownId."""
    return _review(b, promotion, person).standing()


def _review(b: Bonsai, promotion: str, person: str) -> _Review:
    with b.database.reading() as con:
        known = promotion_context(con, promotion)
        given = reviews_table.of_promotion(con, known.promotion.adapter, person)
    questions = _questions(visible_of(b, known).answers)
    return _Review(
        known.promotion, person, blind_review.round_of(questions, known.promotion.adapter, person), tuple(given)
    )


def _questions(answers: Sequence[ComparedAnswer]) -> list[BlindQuestion]:
    """What is worth asking: see `bonsai.evaluate.blind_review`."""
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


def give_verdict(b: Bonsai, promotion: str, person: str, item: str, side: str, now: datetime) -> ReviewState:
    """Keep a verdict; the next question. A second one on the same question (a form sent twice) changes nothing.

    Raises UsageError for a side that is none and for a question that is not asked, UnknownId.
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


def take_back_verdict(b: Bonsai, promotion: str, person: str) -> ReviewState:
    """The last question once more. Raises UsageError when there is none, or the result was shown already."""
    desk = _review(b, promotion, person)
    if not desk.left or not desk.given:
        raise UsageError("review.nothing_to_take_back")
    with b.database.writing() as con:
        reviews_table.take_back(con, desk.adapter, person)
    return replace(desk, given=desk.given[:-1]).standing()
