"""Benchmark reports, comparisons and the personal evaluation set -> `bonsai.schemas.benchmark`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bonsai.actions.benchmark import PowerAnalysis
from bonsai.actions.personal_set import AddedQuestion, PersonalSetState
from bonsai.evaluate.compare import Comparison
from bonsai.evaluate.report import Report, summary
from bonsai.schemas import benchmark as schemas
from storage.tables.personal_set_table import PersonalItem, PersonalSetChange


def report(made: Report) -> schemas.BenchmarkReport:
    """A model's scores on one question set."""
    return schemas.BenchmarkReport(
        benchmark=made.benchmark,
        subject=made.subject,
        created_at=made.created_at,
        seconds=made.seconds,
        rows=[schemas.SummaryRow.model_validate(one) for one in summary(made)],
    )


def comparison(one: Comparison, alpha: float) -> schemas.SliceComparison:
    """One slice in one measure; no bounds where there are too few facts for them."""
    low, high = one.bounds(alpha) or (None, None)
    return schemas.SliceComparison(
        slice=one.slice.name,
        measure=one.measure,
        items=one.items,
        clusters=one.clusters,
        gain=one.mean,
        low=low,
        high=high,
    )


def power_analysis(one: PowerAnalysis) -> schemas.PowerAnalysis:
    """What one question set can show."""
    names = ("question_set", "challenger", "champion", "alpha", "power", "minimum_gain")
    return schemas.PowerAnalysis(
        **{name: getattr(one, name) for name in names},
        smallest_promoted=one.smallest_promoted,
        facts_to_see_minimum=one.facts_to_see_minimum,
        slices=[schemas.DetectableEffect.model_validate(effect) for effect in one.effects],
    )


def added_questions(added: AddedQuestion) -> schemas.AddedQuestions:
    """Questions that were added, and the set after it."""
    ids = [item.id for item in added.items]
    return schemas.AddedQuestions(**_state(added.state), ids=ids, new=added.new, held_back=list(added.held_back))


def retired_questions(ids: Sequence[str], state: PersonalSetState) -> schemas.RetiredQuestions:
    """Questions that were retired, and the set after it."""
    return schemas.RetiredQuestions(**_state(state), ids=list(ids))


def personal_set(state: PersonalSetState, changes: Sequence[PersonalSetChange] | None) -> schemas.PersonalSetDetail:
    """The set with its questions; its history where it was asked for."""
    return schemas.PersonalSetDetail(
        **_state(state),
        questions=[_question(one) for one in state.items],
        changes=None if changes is None else [schemas.PersonalSetChange.model_validate(one) for one in changes],
    )


def _state(state: PersonalSetState) -> dict[str, Any]:
    return {
        "version": state.version,
        "items": len(state.items),
        "facts": state.clusters,
        "facts_that_count": state.counting,
        "facts_needed": state.needed,
        "can_decide": not state.missing,
    }


def _question(one: PersonalItem) -> schemas.PersonalQuestion:
    fields = {"id": one.id, "fact": one.cluster, "records": one.record_ids, "frozen_at": one.frozen_at}
    return schemas.PersonalQuestion.model_validate({**one.item, **fields})
