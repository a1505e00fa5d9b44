"""Questions to models: asked, answered, rated, corrected."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from bonsai.domain.promotion import CHAMPION
from bonsai.domain.records import Language, Source, Status
from bonsai.schemas.base import RequestModel, ResponseModel
from bonsai.schemas.records import CheckedAnswer, CheckedPassage, CheckedQuestion, Kind, Record

MAX_MODELS = 4
"Models that are asked one question."
MODEL_NAME = "^[0-9A-Za-z._-]{1,100}$"


class NewQuestion(RequestModel):
    """A question to the champion, and to others beside it."""

    question: CheckedQuestion = Field(description="api.field_question")
    context: CheckedPassage = Field("", description="api.field_context")
    adapters: list[Annotated[str, Field(pattern=MODEL_NAME)]] = Field(
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
    """Progress of a question."""

    question: str = Field(description="api.field_question_id")
    state: Literal["waiting", "answering", "answered", "failed"] = Field(description="api.field_question_state")
    before: int = Field(description="api.field_question_before")


class ModelAnswer(ResponseModel):
    """One model's answer."""

    number: int = Field(description="api.field_answer_number")
    adapter: str = Field(description="api.field_answer_adapter")
    answer: str = Field(description="api.field_output")
    language: str = Field(description="api.field_language")
    category: str = Field(description="api.field_category")
    reasoning: str = Field(description="api.field_reasoning")
    given: bool = Field(description="api.field_answer_given")
    ended: bool = Field(description="api.field_answer_ended")
    fault: str = Field(description="api.field_answer_fault")
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


class SimilarRecord(ResponseModel):
    """An own record that is like a question or a text."""

    id: str
    instruction: str
    output: str
    subject: str
    happened_on: date | None
    source: Source
    source_name: str
    status: Status
    likeness: float
    "0 to 1."


class QuestionWithSimilar(Question):
    """A question with its answers, and the records like it where they were asked for."""

    similar: list[SimilarRecord]
