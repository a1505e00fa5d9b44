"""Ask the champion, the base or any past adapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from bonsai.errors import UsageError
from bonsai.model.prompt import AnswerTags, Question
from bonsai.pipeline.asking.voices import CHAMPION, voice_of
from bonsai.pipeline.parts import Bonsai
from bonsai.progress import Progress, Report, silent
from bonsai.promotion import BASE
from bonsai.records import LANGUAGES, Category, Language, normalise
from bonsai.serving import Asking
from bonsai.tags import guess_question, reasoning_sentence


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, and by whom."""

    answer: str
    language: str
    "As the model declared it, or as it was asked to."
    category: str
    reasoning: str
    adapter: str
    "Adapter id, or `base`."
    ended: bool
    "It stopped by itself; False: it was cut at the longest answer."


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
    """One question. With `language` or `category` the tags are given instead of being declared by the model."""
    return ask_all(b, [Question(question, context)], language, category, adapter, report)[0]


def ask_all(
    b: Bonsai,
    questions: Sequence[Question],
    language: str | None = None,
    category: str | None = None,
    adapter: str = CHAMPION,
    report: Report = silent,
) -> tuple[Answer, ...]:
    """Several questions in one process. Raises UsageError for an empty question or an unknown tag, UnknownId."""
    asked = tuple(Question(normalise(one.instruction), normalise(one.context)) for one in questions)
    if not all(one.instruction for one in asked):
        raise UsageError("pipeline.empty_question")
    voice = voice_of(b, adapter)
    report(Progress("ask", 0, len(asked)))
    spoken = b.speaker.speak(Asking(voice, asked, tuple(_forced(one, language, category) for one in asked)))
    report(Progress("ask", len(asked), len(asked)))
    return tuple(
        Answer(
            one.response,
            one.tags.language,
            one.tags.category,
            one.tags.reasoning,
            voice.adapter or BASE,
            one.ended,
        )
        for one in spoken
    )


def _forced(question: Question, language: str | None, category: str | None) -> AnswerTags | None:
    if language is None and category is None:
        return None
    asked_in = guess_question(question.instruction, question.context).language
    wanted = language or asked_in
    kind = category or (Category.CLOSED_QA if question.context else Category.OPEN_QA).value
    for value, valid in ((wanted, LANGUAGES), (kind, tuple(Category))):
        if value not in valid:
            raise UsageError("pipeline.unknown_tag", value=value, valid=", ".join(valid))
    return AnswerTags(reasoning_sentence(asked_in, cast("Language", wanted)), kind, wanted)
