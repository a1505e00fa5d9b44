"""Presenter of the ask pages."""

from __future__ import annotations

from dataclasses import dataclass

from bonsai.actions.ask import Ticket, fault_of_answer
from bonsai.domain.promotion import BASE, CHAMPION
from bonsai.domain.records import Status
from bonsai.evaluate.faults import whole_sentences
from bonsai.i18n import ago
from bonsai.queries import adapters
from bonsai.web.labels import CATEGORIES, language_name, reasoning_words
from bonsai.web.presenters.records import shorten
from bonsai.web.rendering import ID_LENGTH
from bonsai.web.request import Visit
from storage.tables.questions_table import StoredAnswer, StoredQuestion
from storage.tables.record_rows import StoredRecord

MAX_MODELS_LISTED = 50
"Newest adapters to choose from; any other one can be chosen on its own page."


@dataclass(frozen=True, slots=True)
class AnswerShown:
    """An answer with localised tags."""

    answer: StoredAnswer
    voice: str
    tags: str
    language: str
    "For the `lang` attribute; empty if not a supported language."
    text: str
    "Of an answer that was cut, its whole sentences."
    fault: str
    "Why it is no answer, in words; empty for one."


@dataclass(frozen=True, slots=True)
class RecordShown:
    """A record that is quoted, with its date and source."""

    id: str
    question: str
    answer: str
    subject: str
    happened_on: str
    ago: str
    source: str
    state: str
    "Why it does not train; empty if it does."


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A past question."""

    asked: StoredQuestion
    question: str
    answer: str
    "The first model's."
    thumbs: str


def model_options(visit: Visit, *chosen: str) -> list[tuple[str, str]]:
    """Models to choose from: (name, label). Includes an older adapter named in the address."""
    found = [
        (adapter, f"{adapter[:ID_LENGTH]} ({visit.text(f'promotion.state_{state.value}')})")
        for adapter, state in adapters.answering_models(visit.b, MAX_MODELS_LISTED).items()
    ]
    made = [(CHAMPION, visit.text("asking.voice_champion")), (BASE, visit.text("asking.voice_base")), *found]
    older = set(chosen) - {name for name, _ in made} - {""}
    return [*made, *((name, name[:ID_LENGTH]) for name in sorted(older))]


def model_name(visit: Visit, adapter: str) -> str:
    """Localised name of a model."""
    if adapter == BASE:
        return visit.text("asking.voice_base")
    return visit.text("asking.voice_adapter", id=adapter[:ID_LENGTH])


def answer_shown(visit: Visit, one: StoredAnswer, asked: StoredQuestion) -> AnswerShown:
    """One answer."""
    fault = fault_of_answer(one, asked)
    category = visit.text(f"category_{one.category}") if one.category in CATEGORIES else one.category
    found = [language_name(visit, one.language), category, reasoning_words(visit, one.reasoning)]
    language = one.language if one.language in ("ja", "en", "zh") else ""
    return AnswerShown(
        one,
        model_name(visit, one.adapter),
        " · ".join(filter(None, found)),
        language,
        whole_sentences(one.answer, ended=one.ended),
        visit.text(f"asking.fault_{fault}") if fault else "",
    )


def record_shown(visit: Visit, stored: StoredRecord) -> RecordShown:
    """One record."""
    record = stored.record
    happened = record.happened_on
    return RecordShown(
        id=record.id,
        question=shorten(record.instruction),
        answer=shorten(record.output),
        subject=record.subject,
        happened_on=happened.isoformat() if happened else "",
        ago=ago(happened, visit.now.astimezone().date(), visit.language) if happened else "",
        source=record.source_name or visit.text(f"curating.source_{record.source}"),
        state="" if stored.status is Status.ACTIVE else stored.status.value,
    )


def history_row(visit: Visit, one: StoredQuestion) -> HistoryRow:
    """One row."""
    said = [visit.text(f"asking.thumb_{answer.thumb}") for answer in one.answers if answer.thumb]
    answer = shorten(one.answers[0].answer) if one.answers else ""
    return HistoryRow(one, shorten(one.question), answer, visit.text("comma").join(said))


def progress(visit: Visit, ticket: Ticket) -> str:
    """Progress of a question."""
    if ticket.state == "failed":
        return visit.text("asking.failed")
    if ticket.state == "waiting":
        return visit.text("asking.waiting", before=ticket.before)
    return visit.text("asking.answering", done=ticket.done, voices=len(ticket.request.adapters))
