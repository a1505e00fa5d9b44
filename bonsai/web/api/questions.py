"""/questions: ask, poll for the answers, rate and correct them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from bonsai.actions import ask as ask_action
from bonsai.domain.promotion import BASE, CHAMPION
from bonsai.queries import similar
from bonsai.schemas.base import PageRequest
from bonsai.schemas.questions import (
    Correction,
    NewQuestion,
    Question,
    Questions,
    QuestionState,
    Rated,
    RecordsBeside,
    Thumb,
)
from bonsai.schemas.records import Submission
from bonsai.serializers import questions as serializers
from bonsai.serializers import records
from bonsai.web.api.adapters import exact_adapter
from bonsai.web.api.request import SENDING, AnswerNumber, Appending, Key, QuestionId, Reading, check_cursor, documented

router = APIRouter(prefix="/questions", tags=["questions"])


@router.post("", status_code=202, **documented("ask", *SENDING, 404, success="api.doc_202_question"))
def ask(call: Reading, said: NewQuestion, key: Key = None) -> QuestionState:
    """Enqueue the question; no request waits for a model."""
    for name in said.adapters:
        if name not in (CHAMPION, BASE):
            exact_adapter(call, name)
    question_request = ask_action.QuestionRequest(
        question=said.question,
        who=call.caller.name,
        context=said.context,
        adapters=tuple(dict.fromkeys(said.adapters)),
        language=said.language,
        category=said.category,
    )
    made = call.site.questions.put(question_request)
    ticket = call.site.questions.get(made)
    return QuestionState(
        question=made,
        state=ticket.state if ticket else "answered",
        before=ticket.before if ticket else 0,
    )


@router.get("", **documented("list_questions", 404))
def list_questions(call: Reading, page: Annotated[PageRequest, Query()]) -> Questions:
    """Newest first."""
    found = ask_action.list_questions(call.b, page.limit + 1, page.cursor or "")
    if page.cursor and not found:
        check_cursor(page.cursor, lambda name: ask_action.show_question(call.b, name).id)
    shown = found[: page.limit]
    more = shown[-1].id if len(found) > page.limit else None
    return Questions(items=[serializers.question(one) for one in shown], next_cursor=more)


@router.get("/{question}", **documented("read_question", 404))
def read_question(call: Reading, question: QuestionId) -> Question:
    """Poll until the state is `answered` or `failed`."""
    ticket = call.site.questions.get(question)
    if ticket is not None:
        return serializers.waiting_question(ticket, call.language)
    return serializers.question(ask_action.show_question(call.b, question))


@router.get("/{question}/records", **documented("records_beside", 404))
def records_beside(call: Reading, question: QuestionId) -> RecordsBeside:
    """Likeness, not proof that the model used them."""
    found = ask_action.show_question(call.b, question)
    return RecordsBeside(
        items=[records.record(one, call.language) for one in similar.existing_records(call.b, found.record_ids)]
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
    """The correction becomes a record, which overrides the records that it contradicts."""
    found = ask_action.show_question(call.b, question)
    made = ask_action.correct_answer(call.b, question, number, said.output, call.caller.name, call.now)
    call.noted("correct", made)
    call.site.drain()
    return serializers.correction(found, made, said.output)
