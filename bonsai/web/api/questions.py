"""/questions: asked now, answered a little later; a thumb; a correction that becomes a record."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from bonsai.actions import ask as ask_action
from bonsai.actions.ask import MAX_MODELS, Ticket
from bonsai.domain.promotion import BASE
from bonsai.domain.records import Language, content_id
from bonsai.queries import shapes, similar
from bonsai.queries.adapters import CHAMPION
from bonsai.schemas.base import PageRequest, RequestModel, ResponseModel
from bonsai.schemas.records import CheckedAnswer, CheckedPassage, CheckedQuestion, Kind, Record, Submission
from bonsai.web.api.adapters import exact_adapter
from bonsai.web.api.request import SENDING, AnswerNumber, Appending, Call, Key, QuestionId, Reading, documented
from storage.tables.questions_table import StoredQuestion as Stored

router = APIRouter(prefix="/questions", tags=["questions"])
VOICE = "^[0-9A-Za-z._-]{1,100}$"


class NewQuestion(RequestModel):
    """A question to the champion, and to others beside it."""

    question: CheckedQuestion = Field(description="api.field_question")
    context: CheckedPassage = Field("", description="api.field_context")
    adapters: list[Annotated[str, Field(pattern=VOICE)]] = Field(
        [CHAMPION], min_length=1, max_length=MAX_MODELS, description="api.field_voices"
    )
    language: Language | None = Field(None, description="api.field_ask_language")
    category: Kind | None = Field(None, description="api.field_ask_category")


class Thumb(RequestModel):
    """What a person thinks of an answer."""

    thumb: Literal["up", "down", "none"] = Field(description="api.field_thumb")


class Correction(RequestModel):
    """A better answer."""

    output: CheckedAnswer = Field(description="api.field_correction")


class QuestionState(ResponseModel):
    """How far a question is."""

    question: str = Field(description="api.field_question_id")
    state: Literal["waiting", "answering", "answered", "failed"] = Field(description="api.field_question_state")
    before: int = Field(description="api.field_question_before")


class ModelAnswer(ResponseModel):
    """One voice's answer."""

    number: int = Field(description="api.field_answer_number")
    adapter: str = Field(description="api.field_answer_adapter")
    answer: str = Field(description="api.field_output")
    language: str = Field(description="api.field_language")
    category: str = Field(description="api.field_category")
    reasoning: str = Field(description="api.field_reasoning")
    given: bool = Field(description="api.field_answer_given")
    ended: bool = Field(description="api.field_answer_ended")
    thumb: Literal["up", "down", ""] = Field(description="api.field_thumb")
    thumb_by: str = Field(description="api.field_who")
    correction: str = Field(description="api.field_answer_correction")


class Question(QuestionState):
    """A question with its answers, or how far they are."""

    text: str = Field(description="api.field_question")
    context: str = Field(description="api.field_context")
    who: str = Field(description="api.field_who")
    asked_at: datetime | None = Field(description="api.field_asked_at")
    problem: str | None = Field(description="api.field_question_problem")
    answers: list[ModelAnswer] = Field(description="api.field_answers")
    records: list[str] = Field(description="api.field_question_records")


class Questions(ResponseModel):
    """A page of answered questions, the newest first."""

    items: list[Question] = Field(description="api.field_items")
    next_cursor: str | None = Field(description="api.field_next_cursor")


class RecordsBeside(ResponseModel):
    """The records most like a question."""

    items: list[Record] = Field(description="api.field_items")


class Rated(ResponseModel):
    """A thumb that was kept."""

    question: str = Field(description="api.field_question_id")
    number: int = Field(description="api.field_answer_number")


@router.post("", status_code=202, **documented("ask", *SENDING, 404, success="api.doc_202_question"))
def ask(call: Reading, said: NewQuestion, key: Key = None) -> QuestionState:
    """Into the queue; no request waits for a model."""
    for name in said.adapters:
        if name not in (CHAMPION, BASE):
            exact_adapter(call, name)
    wanted = ask_action.QuestionRequest(
        question=said.question,
        who=call.caller.name,
        context=said.context,
        adapters=tuple(dict.fromkeys(said.adapters)),
        language=said.language,
        category=said.category,
    )
    made = call.site.questions.put(wanted)
    ticket = call.site.questions.get(made)
    return QuestionState(
        question=made,
        state=ticket.state if ticket else "answered",
        before=ticket.before if ticket else 0,
    )


@router.get("", **documented("list_questions", 404))
def list_questions(call: Reading, page: Annotated[PageRequest, Query()]) -> Questions:
    """What was asked before."""
    found = ask_action.list_questions(call.b, page.limit + 1, page.cursor or "")
    if page.cursor and not found:
        ask_action.show_question(call.b, page.cursor)  # the last page, or no question of this home?
    shown = found[: page.limit]
    more = shown[-1].id if len(found) > page.limit else None
    return Questions(items=[_answered(one) for one in shown], next_cursor=more)


@router.get("/{question}", **documented("read_question", 404))
def read_question(call: Reading, question: QuestionId) -> Question:
    """Ask again until its state is `answered` or `failed`."""
    ticket = call.site.questions.get(question)
    return _waiting(call, ticket) if ticket else _answered(ask_action.show_question(call.b, question))


@router.get("/{question}/records", **documented("records_beside", 404))
def records_beside(call: Reading, question: QuestionId) -> RecordsBeside:
    """Likeness, not proof that the model used them."""
    found = ask_action.show_question(call.b, question)
    return RecordsBeside(
        items=[shapes.record(one, call.language) for one in similar.existing_records(call.b, found.record_ids)]
    )


@router.post("/{question}/answers/{number}/thumb", **documented("rate", *SENDING, 404))
def rate_answer(call: Appending, question: QuestionId, number: AnswerNumber, said: Thumb, key: Key = None) -> Rated:
    """Evidence for people; nothing trains on it."""
    ask_action.rate_answer(call.b, question, number, "" if said.thumb == "none" else said.thumb, call.caller.name)
    call.noted("thumb", f"{question}/{number}")
    return Rated(question=question, number=number)


@router.post(
    "/{question}/answers/{number}/correction",
    status_code=202,
    **documented("correct", *SENDING, 404, success="api.doc_202"),
)
def correct_answer(
    call: Appending, question: QuestionId, number: AnswerNumber, said: Correction, key: Key = None
) -> Submission:
    """It becomes a record, which overrules what it contradicts."""
    found = ask_action.show_question(call.b, question)
    made = ask_action.correct_answer(call.b, question, number, said.output, call.caller.name, call.now)
    call.noted("correct", made)
    call.site.drain()
    return Submission(submission=made, record=content_id(found.question, found.context, said.output))


def _waiting(call: Call, ticket: Ticket) -> Question:
    return Question(
        question=ticket.id,
        state=ticket.state,
        before=ticket.before,
        text=ticket.wanted.question,
        context=ticket.wanted.context,
        who=ticket.wanted.who,
        asked_at=None,
        problem=ticket.problem.render(call.language) if ticket.problem else None,
        answers=[],
        records=[],
    )


def _answered(one: Stored) -> Question:
    return Question(
        question=one.id,
        state="answered",
        before=0,
        text=one.question,
        context=one.context,
        who=one.who,
        asked_at=one.asked_at,
        problem=None,
        answers=[ModelAnswer.model_validate(answer) for answer in one.answers],
        records=list(one.record_ids),
    )
