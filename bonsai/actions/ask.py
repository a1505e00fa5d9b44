"""Ask the champion, the base or any past adapter, and keep, rate and correct the answers."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, cast

from bonsai.actions.inbox import submit
from bonsai.context import Bonsai
from bonsai.domain.characters import normalise
from bonsai.domain.promotion import BASE, CHAMPION
from bonsai.domain.records import LANGUAGES, Category, Defaults, Language, Origin, Reject, parse, reasoning_sentence
from bonsai.errors import BonsaiError, InputError, TerminalError, TransientError, UnknownId, UsageError
from bonsai.evaluate.faults import fault_of, language_of_answer
from bonsai.i18n import text
from bonsai.inference.client import InferenceRequest
from bonsai.ingest.retrieval import passage
from bonsai.ingest.tags.language import guess_question
from bonsai.model.bases import model_folder
from bonsai.model.native import has_chat_template
from bonsai.model.prompt import AnswerTags, Question
from bonsai.queries.adapters import adapter_id, model_ref
from bonsai.queries.similar import SimilarRecord, existing_records, quoted_records
from bonsai.schemas.questions import MAX_MODELS
from bonsai.system.progress import Progress, Report, silent
from storage.tables import questions_table
from storage.tables.questions_table import THUMBS, StoredAnswer, StoredQuestion


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer and the model that gave it."""

    answer: str
    language: str
    "Declared by the model, or given in the request."
    category: str
    reasoning: str
    adapter: str
    "Adapter id, or `base`."
    ended: bool
    "False if it was cut at the token limit."


def ask(
    b: Bonsai,
    question: str,
    *,
    context: str = "",
    language: str | None = None,
    category: str | None = None,
    adapter: str = CHAMPION,
    report: Report = silent,
) -> Answer:
    """Ask one question. With `language` or `category`, the tags are given instead of declared by the model."""
    return ask_all(b, [Question(question, context)], language, category, adapter, report)[0]


def ask_all(
    b: Bonsai,
    questions: Sequence[Question],
    language: str | None = None,
    category: str | None = None,
    adapter: str = CHAMPION,
    report: Report = silent,
) -> tuple[Answer, ...]:
    """Ask several questions in one process. Raises UsageError for an empty question or unknown tag, UnknownId."""
    asked = tuple(Question(normalise(one.instruction), normalise(one.context)) for one in questions)
    if not all(one.instruction for one in asked):
        raise UsageError("pipeline.empty_question")
    model = model_ref(b, adapter)
    report(Progress("ask", 0, len(asked)))
    spoken = b.inference.complete(
        InferenceRequest(model, asked, tuple(_forced_tags(one, language, category) for one in asked))
    )
    report(Progress("ask", len(asked), len(asked)))
    return tuple(
        Answer(
            one.response,
            one.tags.language,
            one.tags.category,
            one.tags.reasoning,
            model.adapter or BASE,
            one.ended,
        )
        for one in spoken
    )


def _forced_tags(question: Question, language: str | None, category: str | None) -> AnswerTags | None:
    if language is None and category is None:
        return None
    asked_in = guess_question(question.instruction, question.context).language
    answered_in = language or asked_in
    kind = category or (Category.CLOSED_QA if question.context else Category.OPEN_QA).value
    for value, valid in ((answered_in, LANGUAGES), (kind, tuple(Category))):
        if value not in valid:
            raise UsageError("pipeline.unknown_tag", value=value, valid=", ".join(valid))
    return AnswerTags(reasoning_sentence(asked_in, cast("Language", answered_in)), kind, answered_in)


@dataclass(frozen=True, slots=True)
class QuestionRequest:
    """A person's question to one or several models."""

    question: str
    who: str
    context: str = ""
    adapters: tuple[str, ...] = (CHAMPION,)
    "Ids, id prefixes, `champion` or `base`; each answers."
    language: str | None = None
    "Given to the model; None: the model declares it."
    category: str | None = None


def new_question_id() -> str:
    """Random, so that ids of other people's questions cannot be enumerated."""
    return secrets.token_hex(8)


def check_request(b: Bonsai, request: QuestionRequest) -> None:
    """Check before a model is loaded. Raises UsageError, UnknownId."""
    limits = b.config.records
    if not normalise(request.question):
        raise UsageError("pipeline.empty_question")
    given = (("question", request.question, limits.instruction_characters),)
    for name, said, longest in (*given, ("context", request.context, limits.input_characters)):
        if len(said) > longest:
            raise UsageError("asking.too_long", name=name, found=len(said), longest=longest)
    if not 0 < len(request.adapters) <= MAX_MODELS:
        raise UsageError("asking.too_many_voices", found=len(request.adapters), most=MAX_MODELS)
    with b.database.reading() as con:
        for name in request.adapters:
            adapter_id(con, name)


def ask_models(
    b: Bonsai,
    request: QuestionRequest,
    asked_id: str,
    now: datetime,
    report: Report = silent,
    records: Sequence[SimilarRecord] | None = None,
) -> StoredQuestion:
    """Ask each model once. To a chat model, a question without a passage comes with the records that it may be about.

    `records`: of `quoted_records`, if they were looked for already. Raises as `ask` does.
    """
    found = quoted_records(b, request.question, request.context) if records is None else records
    answers: list[Answer] = []
    for number, name in enumerate(request.adapters):
        report(Progress("ask", number, len(request.adapters)))
        answer = _answered(b, request, name, found)
        if answer.adapter not in [one.adapter for one in answers]:  # the champion may also be named by its id
            answers.append(answer)
    return StoredQuestion(
        id=asked_id,
        question=normalise(request.question),
        context=normalise(request.context),
        who=request.who,
        record_ids=tuple(one.id for one in found),
        asked_at=now,
        answers=_stored_answers(answers, given=bool(request.language or request.category)),
    )


def _answered(b: Bonsai, request: QuestionRequest, name: str, found: Sequence[SimilarRecord]) -> Answer:
    """One model's answer, if it is a chat model with as many of the records as it has room for.

    A bare model goes on with a passage instead of reading it (docs/real-models.md).
    """
    reads = has_chat_template(model_folder(model_ref(b, name).base))
    question = Question(request.question, request.context or (passage(found) if reads else ""))
    try:
        return ask_all(b, [question], request.language, request.category, name)[0]
    except InputError as problem:
        if problem.key != "model.question_too_long" or not question.context or request.context:
            raise
    return _answered(b, request, name, found[: len(found) // 2])


def store_question(b: Bonsai, asked: StoredQuestion) -> None:
    """Store in the history. Idempotent."""
    with b.database.writing() as con:
        questions_table.add(con, asked, b.config.dashboard.ask_history)


def _stored_answers(answers: Sequence[Answer], *, given: bool) -> tuple[StoredAnswer, ...]:
    return tuple(
        StoredAnswer(number, one.adapter, one.answer, one.language, one.category, one.reasoning, given, one.ended)
        for number, one in enumerate(answers, 1)
    )


def fault_of_answer(answer: StoredAnswer, asked: StoredQuestion) -> str:
    """Why it is no answer, of `bonsai.evaluate.faults.FAULTS`; empty for an answer, and for a forgotten one."""
    if not asked.question:
        return ""
    wanted = answer.language if answer.given else language_of_answer(asked.question, asked.context)
    return fault_of(
        answer.answer, ended=answer.ended, asked=f"{asked.question}\n{asked.context}",
        language=wanted if wanted in ("ja", "en") else "",
    )  # fmt: skip


def list_questions(b: Bonsai, limit: int, before: str = "") -> list[StoredQuestion]:
    """Newest first. For the next page, pass the last id as `before`."""
    with b.database.reading() as con:
        return questions_table.newest(con, limit, before)


def show_question(b: Bonsai, asked_id: str) -> StoredQuestion:
    """By id or prefix. Raises UnknownId."""
    with b.database.reading() as con:
        return questions_table.get(con, asked_id)


def rate_answer(b: Bonsai, asked_id: str, number: int, thumb: str, who: str) -> None:
    """Set a thumb: up, down, or none. Raises UsageError, UnknownId."""
    if thumb not in THUMBS:
        raise UsageError("asking.unknown_thumb", value=thumb)
    with b.database.writing() as con:
        questions_table.set_thumb(con, questions_table.get(con, asked_id).id, number, thumb, who)


def correct_answer(b: Bonsai, asked_id: str, number: int, output: str, who: str, now: datetime) -> str:
    """Submit the right answer as a record, which supersedes those it contradicts; returns the submission's id.

    It is about the subject that the question names, if a record that was quoted has one. Raises UnknownId; UsageError
    if the text makes no valid record.
    """
    with b.database.reading() as con:
        asked = questions_table.get(con, asked_id)
    if not 1 <= number <= len(asked.answers):  # checked before anything is submitted
        raise UnknownId("asking.unknown_answer", id=asked.id, number=number)
    subjects = [one.record.subject for one in existing_records(b, asked.record_ids) if one.record.subject]
    fields = {"instruction": asked.question, "input": asked.context, "output": output, "source": "feedback"}
    fields |= {"subject": next((one for one in subjects if one in asked.question), "")}
    fields = {name: value for name, value in fields.items() if value} | {"author": who}
    made = parse(fields, Origin("feedback"), Defaults(source="feedback"), b.config.records)
    if isinstance(made, Reject):
        raise UsageError("asking.correction_refused", reason=text(made.reason_key, **dict(made.values)))
    submission = submit(b, fields, now)
    with b.database.writing() as con:
        questions_table.set_correction(con, asked.id, number, submission)
    return submission


MAX_FAILURES = 20
"Failures to remember."
CLOSING_SECONDS = 5.0
"Time for the thread to end after its model has."


@dataclass(frozen=True, slots=True)
class Ticket:
    """A question that is not answered yet."""

    id: str
    request: QuestionRequest
    state: Literal["waiting", "answering", "failed"] = "waiting"
    before: int = 0
    "Questions ahead in the queue."
    done: int = 0
    "Models that have answered."
    problem: BonsaiError | None = None


class QuestionQueue:
    """One per process; its thread starts with the first question and ends with `close` or the process."""

    def __init__(self, opened: Callable[[], Bonsai], clock: Callable[[], datetime]) -> None:
        """`opened` gives the home with its settings of the moment."""
        self._opened, self._clock = opened, clock
        self._tickets: dict[str, Ticket] = {}
        "In order of arrival; failed ones included."
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._over = False

    @property
    def _b(self) -> Bonsai:
        return self._opened()

    def put(self, request: QuestionRequest) -> str:
        """Enqueue; returns the question's id. Raises TransientError if the queue is full, UsageError, UnknownId."""
        check_request(self._b, request)
        with self._changed:
            waiting = [one for one in self._tickets.values() if one.state == "waiting"]
            if len(waiting) >= self._b.config.dashboard.ask_queue:
                raise TransientError("asking.queue_full", waiting=len(waiting))
            ticket = Ticket(new_question_id(), request)
            self._tickets[ticket.id] = ticket
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="questions", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return ticket.id

    def get(self, ticket_id: str) -> Ticket | None:
        """None if the question is answered or unknown."""
        with self._changed:
            found = self._tickets.get(ticket_id)
            if found is None or found.state == "failed":
                return found
            ids = [one.id for one in self._tickets.values() if one.state != "failed"]
            return replace(found, before=ids.index(ticket_id))

    def close(self) -> None:
        """Stop answering and abort the current answer. Idempotent."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._b.inference.end()
        if self._thread:
            self._thread.join(CLOSING_SECONDS)

    def _work(self) -> None:
        while ticket := self._next():
            problem: BonsaiError | None = TerminalError("asking.broken")  # an unexpected error ends this thread
            try:
                store_question(
                    self._b, ask_models(self._b, ticket.request, ticket.id, self._clock(), self._reporter(ticket))
                )
                problem = None
            except BonsaiError as error:
                problem = error
            finally:
                self._settle(ticket, problem)

    def _next(self) -> Ticket | None:
        """Next ticket; None once closed."""
        with self._changed:
            while not self._over:
                for one in self._tickets.values():
                    if one.state == "waiting":
                        self._tickets[one.id] = replace(one, state="answering")
                        return one
                self._changed.wait()
        return None

    def _reporter(self, ticket: Ticket) -> Callable[[Progress], None]:
        def report(progress: Progress) -> None:
            with self._changed:
                self._tickets[ticket.id] = replace(ticket, state="answering", done=progress.done)

        return report

    def _settle(self, ticket: Ticket, problem: BonsaiError | None) -> None:
        with self._changed:
            if problem is None:
                del self._tickets[ticket.id]
                return
            self._tickets[ticket.id] = replace(ticket, state="failed", problem=problem)
            failed = [one.id for one in self._tickets.values() if one.state == "failed"]
            for one in failed[:-MAX_FAILURES]:
                del self._tickets[one]
