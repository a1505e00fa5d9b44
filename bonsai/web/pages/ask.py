"""Ask pages: question form, answers side by side, rating, correction, history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from bonsai.actions.ask import QuestionRequest, Ticket, correct_answer, list_questions, rate_answer, show_question
from bonsai.errors import BonsaiError
from bonsai.queries import similar
from bonsai.web.presenters import ask as pages
from bonsai.web.presenters.records import categories, languages
from bonsai.web.request import Contributor, Form, Visit, problem_of

router = APIRouter(prefix="/ask")
FIELDS = ("question", "context", "voice", "beside", "language", "category")


@router.get("")
def form(visit: Contributor) -> Response:
    """Empty form and history."""
    return _form(visit, visit.request.query_params)


def _form(visit: Visit, given: Mapping[str, str], problem: str = "", status: int = 200) -> Response:
    size = visit.site.settings.page_size
    before = given.get("before", "")
    found = list_questions(visit.b, size + 1, before)
    return visit.page(
        "ask/form.html",
        status,
        given={name: given.get(name, "") for name in FIELDS},
        problem=problem,
        voices=pages.model_options(visit, given.get("voice", ""), given.get("beside", "")),
        languages=languages(visit),
        categories=categories(visit),
        history=[pages.history_row(visit, one) for one in found[:size]],
        before=before,
        following=found[size - 1].id if len(found) > size else "",
    )


@router.post("")
def ask(visit: Contributor, form: Form) -> Response:
    """Enqueue the question and redirect to its page."""
    try:
        question = visit.site.questions.put(_question_request(visit, form))
    except BonsaiError as problem:
        return _form(visit, form, visit.words_of(problem), problem_of(problem))
    return visit.go(f"/ask/{question}")


def _question_request(visit: Visit, form: Mapping[str, str]) -> QuestionRequest:
    names = dict.fromkeys(name for name in (form.get("voice") or "champion", form.get("beside", "")) if name)
    return QuestionRequest(
        question=form.get("question", ""),
        who=visit.who,
        context=form.get("context", ""),
        adapters=tuple(names),
        language=form.get("language") or None,
        category=form.get("category") or None,
    )


@router.get("/{asked_id}")
def show(visit: Contributor, asked_id: str) -> Response:
    """What the records say, then answers side by side, or progress."""
    ticket = visit.site.questions.get(asked_id)
    return _waiting(visit, ticket) if ticket else _answers(visit, asked_id)


def _waiting(visit: Visit, ticket: Ticket) -> Response:
    asked = ticket.request
    found = [one.id for one in similar.quoted_records(visit.b, asked.question, asked.context)]
    return visit.page(
        "ask/waiting.html",
        problem_of(ticket.problem) if ticket.problem else 200,
        ticket=ticket,
        told=pages.progress(visit, ticket),
        problem=visit.words_of(ticket.problem) if ticket.problem else "",
        records=_quoted(visit, found),
    )


def _answers(visit: Visit, asked_id: str, problem: str = "", said: Mapping[int, str] | None = None) -> Response:
    found = show_question(visit.b, asked_id)
    return visit.page(
        "ask/answers.html",
        422 if problem else 200,
        asked=found,
        answers=[pages.answer_shown(visit, one, found) for one in found.answers],
        records=_quoted(visit, found.record_ids),
        problem=problem,
        said=said or {},
    )


def _quoted(visit: Visit, ids: Iterable[str]) -> list[pages.RecordShown]:
    return [pages.record_shown(visit, one) for one in similar.existing_records(visit.b, tuple(ids))]


@router.get("/{asked_id}/state")
def state(visit: Contributor, asked_id: str) -> Response:
    """Progress as JSON, for the page's script."""
    ticket = visit.site.questions.get(asked_id)
    if ticket is None:
        show_question(visit.b, asked_id)  # raises for an unknown id instead of letting the page poll for ever
        return JSONResponse({"state": "answered", "told": ""})
    return JSONResponse({"state": ticket.state, "told": pages.progress(visit, ticket)})


@router.post("/{asked_id}/{number}/thumb")
def rate(visit: Contributor, asked_id: str, number: int, form: Form) -> Response:
    """Set or clear a thumb."""
    thumb = form.get("thumb", "")
    rate_answer(visit.b, asked_id, number, "" if thumb == "none" else thumb, visit.who)
    visit.noted("thumb", f"{asked_id}/{number}")
    return visit.go(f"/ask/{asked_id}", "thumb")


@router.post("/{asked_id}/{number}/correct")
def correct(visit: Contributor, asked_id: str, number: int, form: Form) -> Response:
    """Submit a correction; on error, the form keeps what was typed."""
    output = form.get("output", "")
    try:
        submission = correct_answer(visit.b, asked_id, number, output, visit.who, visit.now)
    except BonsaiError as problem:
        if problem_of(problem) != 422:
            raise
        return _answers(visit, asked_id, visit.words_of(problem), {number: output})
    visit.noted("correct", submission)
    visit.site.drain()
    return visit.go(f"/ask/{asked_id}", "correct")
