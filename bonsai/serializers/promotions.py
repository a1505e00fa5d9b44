"""Promotions, decisions and blind reviews -> `bonsai.schemas.promotions`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bonsai.actions.blind_review import ReviewState
from bonsai.domain.promotion import Pointer, State, settle
from bonsai.evaluate import blind_review
from bonsai.evaluate.blind_review import BlindPair
from bonsai.gate.decision import RuleResult, render
from bonsai.i18n import TextLanguage, text
from bonsai.queries.answers import ComparedAnswer
from bonsai.queries.explanation import Explanation
from bonsai.queries.promotions import ID_LENGTH, History, PromotionEvidence, Review, TrainingCurves
from bonsai.schemas import promotions as schemas
from bonsai.serializers import records
from bonsai.train.curve import thinned
from storage.tables.data_changes import ChangedRecord
from storage.tables.promotions_table import Logged, Promotion

ACTIONS: Mapping[State, tuple[str, ...]] = {
    State.WAITING: ("approve", "reject"),
    State.REFUSED: ("approve", "reject"),
    State.CHAMPION: ("rollback",),
    State.REPLACED: ("restore",),
    State.ROLLED_BACK: ("restore",),
}
"What a person may do with a candidate in each state; nothing with the others."
MOST_POINTS = 60
"Of a loss curve; single steps are noise, and the log has them."


def promotion(found: Promotion, pointer: Pointer, language: TextLanguage) -> schemas.Promotion:
    """A candidate as it stands under this champion."""
    return schemas.Promotion(**_fields(found, pointer, language))


def promotion_detail(
    found: Promotion, pointer: Pointer, history: History, language: TextLanguage
) -> schemas.PromotionDetail:
    """With every rule, what may be done, what was."""
    return schemas.PromotionDetail(**_detail_fields(found, pointer, history, language))


def explanation(found: Explanation, beside: PromotionEvidence, language: TextLanguage) -> schemas.Explanation:
    """With everything that the verdict rests on."""
    decided = found.decision
    return schemas.Explanation(
        **_detail_fields(found.promotion, beside.pointer, beside.history, language),
        sentence=sentence(found, language),
        harm=decided.harm,
        confirmation_opened=decided.confirmation_opened,
        evidence=schemas.Evidence.model_validate(found.evidence),
        slices=[schemas.SliceChange.model_validate(one) for one in found.slices],
        flips=[schemas.Flip.model_validate(one) for one in found.flips],
        missing=list(found.missing),
        new_records=found.new_records,
        data_changes=dict(beside.data_changes),
        losses=[_losses(one) for one in beside.learned],
        reviews=[review(one) for one in beside.reviews],
    )


def sentence(found: Explanation, language: TextLanguage) -> str:
    """The verdict in one sentence, with the first reason."""
    decision, promotion = found.decision, found.promotion
    kind = "keep_harm" if decision.verdict == "keep" and decision.harm else decision.verdict
    reason = render(decision.reasons[0], language) if decision.reasons else ""
    names = {"challenger": promotion.adapter[:ID_LENGTH], "champion": promotion.judged_against[:ID_LENGTH]}
    return text(f"explain.{kind}", language, reason=reason, **names).strip()


def _detail_fields(found: Promotion, pointer: Pointer, history: History, language: TextLanguage) -> dict[str, Any]:
    fields = _fields(found, pointer, language)
    actions = ["approve" if one == "restore" else one for one in ACTIONS.get(fields["state"], ())]
    return {
        **fields,
        "rules": [rule(one, language) for one in found.decision.rules],
        "actions": actions,
        "decisions": [log_line(one) for one in history.lines if one.entry.adapter == found.adapter],
    }


def _fields(found: Promotion, pointer: Pointer, language: TextLanguage) -> dict[str, Any]:
    decided = found.decision
    return {
        **{name: getattr(found, name) for name in ("adapter", "night", "judged_against", "created_at", "updated_at")},
        "state": settle(found.candidate, pointer),
        "verdict": decided.verdict,
        "finding": decided.finding,
        "reasons": [render(one, language) for one in decided.reasons],
    }


def rule(found: RuleResult, language: TextLanguage) -> schemas.Rule:
    """One rule in words and figures."""
    low, high = found.interval or (None, None)
    names = ("rule", "name", "outcome", "unit", "figure", "threshold")
    fields: dict[str, Any] = {name: getattr(found, name) for name in names}
    return schemas.Rule(**fields, words=render(found.reason, language), low=low, high=high)


def log_line(line: Logged) -> schemas.Decision:
    """One line of the promotion log."""
    names = ("number", "at", "who", "action", "adapter", "champion_before", "champion_after", "version", "reason")
    return schemas.Decision(**{name: getattr(line.entry, name) for name in names}, hash=line.hash)


def review(one: Review) -> schemas.Review:
    """No tally before the round is finished."""
    fields = {name: getattr(one, name) for name in ("person", "done", "asked", "last_at")}
    return schemas.Review(**fields, tally=tally(one.tally))


def tally(found: blind_review.Tally | None) -> schemas.Tally | None:
    """What one person preferred; shares from 0 to 1."""
    if found is None:
        return None
    low, high = found.interval
    names = ("challenger", "champion", "same", "share", "finding")
    return schemas.Tally(**{name: getattr(found, name) for name in names}, low=low, high=high)


def blind_question(standing: ReviewState, asked: BlindPair) -> schemas.BlindQuestion:
    """The next question of a round."""
    fields = {name: getattr(asked, name) for name in ("item", "question", "left", "right")}
    return schemas.BlindQuestion(number=standing.done + 1, asked=standing.asked, **fields)


def review_state(standing: ReviewState) -> schemas.ReviewState:
    """Progress of a person's round, and its result once finished."""
    return schemas.ReviewState(
        adapter=standing.adapter,
        done=standing.done,
        asked=standing.asked,
        finished=standing.question is None,
        tally=tally(standing.tally),
    )


def compared_answer(one: ComparedAnswer) -> schemas.ComparedAnswer:
    """What both said to one question."""
    return schemas.ComparedAnswer.model_validate(one)


def changed_record(one: ChangedRecord, language: TextLanguage) -> schemas.ChangedRecord:
    """A record that a candidate learned and its champion had not, or the reverse."""
    return schemas.ChangedRecord(kind=one.kind, earlier=one.earlier, record=records.record(one.stored, language))


def _losses(one: TrainingCurves) -> schemas.LossCurve:
    return schemas.LossCurve(
        adapter=one.adapter,
        steps=one.curve.losses[-1].step,
        validation_loss=one.validation_loss,
        points=[schemas.LossPoint.model_validate(point) for point in thinned(one.curve.losses, MOST_POINTS)],
    )
