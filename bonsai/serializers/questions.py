"""Questions, answers and the records like them -> `bonsai.schemas.questions`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from bonsai.actions.ask import Ticket, fault_of_answer
from bonsai.domain.records import content_id
from bonsai.i18n import TextLanguage
from bonsai.queries.similar import SimilarRecord
from bonsai.schemas import questions as schemas
from bonsai.schemas.records import Submission
from storage.tables.questions_table import StoredQuestion


def question(one: StoredQuestion) -> schemas.Question:
    """A question with its answers."""
    return schemas.Question(**_fields(one))


def question_with_similar(one: StoredQuestion, similar: Iterable[SimilarRecord]) -> schemas.QuestionWithSimilar:
    """The same with the records that are like it."""
    return schemas.QuestionWithSimilar(**_fields(one), similar=[similar_record(found) for found in similar])


def waiting_question(ticket: Ticket, language: TextLanguage) -> schemas.Question:
    """A question in the queue: no answers yet."""
    return schemas.Question(
        question=ticket.id,
        state=ticket.state,
        before=ticket.before,
        text=ticket.request.question,
        context=ticket.request.context,
        who=ticket.request.who,
        asked_at=None,
        problem=ticket.problem.render(language) if ticket.problem else None,
        answers=[],
        records=[],
    )


def similar_record(one: SimilarRecord) -> schemas.SimilarRecord:
    """An own record that is like a question."""
    return schemas.SimilarRecord.model_validate(one)


def correction(asked: StoredQuestion, submission: str, output: str) -> Submission:
    """A better answer on its way to becoming a record."""
    return Submission(submission=submission, record=content_id(asked.question, asked.context, output))


def _fields(one: StoredQuestion) -> dict[str, Any]:
    return {
        "question": one.id,
        "state": "answered",
        "before": 0,
        "text": one.question,
        "context": one.context,
        "who": one.who,
        "asked_at": one.asked_at,
        "problem": None,
        "answers": [
            schemas.ModelAnswer.model_validate(asdict(answer) | {"fault": fault_of_answer(answer, one)})
            for answer in one.answers
        ],
        "records": list(one.record_ids),
    }
