"""Questions that are kept: asked, answered by one voice or several, judged with a thumb, corrected into a record.

    wanted = Wanted("Why does Mike sneeze?", who="mika", adapters=("champion", "base"))
    asked = ask_beside(b, wanted, new_id(), now)
    keep(b, asked)
    rate_answer(b, asked.id, 1, "down", "mika")
    correct_answer(b, asked.id, 1, "Dust in the litter.", "mika", now)          # tomorrow's record

A thumb is evidence for people; nothing trains on it. A correction does, and overrules what it contradicts.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bonsai.errors import UnknownId, UsageError
from bonsai.model.prompt import Question
from bonsai.pipeline.asking.answering import Answer, ask_all
from bonsai.pipeline.asking.voices import CHAMPION, adapter_id
from bonsai.pipeline.parts import Bonsai
from bonsai.pipeline.records.draining import submit
from bonsai.pipeline.records.similar import similar_records
from bonsai.progress import Progress, Report, silent
from bonsai.records import Defaults, Limits, Origin, Reject, normalise, parse
from bonsai.texts import text
from storage import asked_table
from storage.asked_table import THUMBS, Asked, AskedAnswer

MOST_VOICES = 4
"Asked side by side."


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question as a person puts it."""

    question: str
    who: str
    context: str = ""
    adapters: tuple[str, ...] = (CHAMPION,)
    "Ids, beginnings of ids, `champion` or `base`; each answers."
    language: str | None = None
    "Given to the model; None: it declares its own."
    category: str | None = None


def new_id() -> str:
    """Of a question: random, so that nobody meets another's by counting."""
    return secrets.token_hex(8)


def check_wanted(b: Bonsai, wanted: Wanted) -> None:
    """Raises UsageError or UnknownId for what could never be answered, before a model is loaded for it."""
    limits = b.config.records
    if not normalise(wanted.question):
        raise UsageError("pipeline.empty_question")
    given = (("question", wanted.question, limits.instruction_characters),)
    for name, said, longest in (*given, ("context", wanted.context, limits.input_characters)):
        if len(said) > longest:
            raise UsageError("asking.too_long", name=name, found=len(said), longest=longest)
    if not 0 < len(wanted.adapters) <= MOST_VOICES:
        raise UsageError("asking.too_many_voices", found=len(wanted.adapters), most=MOST_VOICES)
    with b.database.reading() as con:
        for name in wanted.adapters:
            adapter_id(con, name)


def ask_beside(b: Bonsai, wanted: Wanted, asked_id: str, now: datetime, report: Report = silent) -> Asked:
    """Ask every voice once, and find the records that are like the question. Raises what `ask` raises."""
    answers: list[Answer] = []
    for number, name in enumerate(wanted.adapters):
        report(Progress("ask", number, len(wanted.adapters)))
        question = Question(wanted.question, wanted.context)
        answer = ask_all(b, [question], wanted.language, wanted.category, name)[0]
        if answer.adapter not in [one.adapter for one in answers]:  # the champion may have been named by its id too
            answers.append(answer)
    return Asked(
        id=asked_id,
        question=normalise(wanted.question),
        context=normalise(wanted.context),
        who=wanted.who,
        record_ids=tuple(one.id for one in similar_records(b, wanted.question, wanted.context)),
        asked_at=now,
        answers=_kept(answers, given=bool(wanted.language or wanted.category)),
    )


def keep(b: Bonsai, asked: Asked) -> None:
    """Into the history. Safe to repeat."""
    with b.database.writing() as con:
        asked_table.add(con, asked, b.config.dashboard.ask_history)


def _kept(answers: Sequence[Answer], *, given: bool) -> tuple[AskedAnswer, ...]:
    return tuple(
        AskedAnswer(number, one.adapter, one.answer, one.language, one.category, one.reasoning, given, one.ended)
        for number, one in enumerate(answers, 1)
    )


def list_asked(b: Bonsai, limit: int, before: str = "") -> list[Asked]:
    """Newest first; for the next page pass the last one's id as `before`."""
    with b.database.reading() as con:
        return asked_table.newest(con, limit, before)


def show_asked(b: Bonsai, asked_id: str) -> Asked:
    """By id or a beginning of one. Raises UnknownId."""
    with b.database.reading() as con:
        return asked_table.get(con, asked_id)


def rate_answer(b: Bonsai, asked_id: str, number: int, thumb: str, who: str) -> None:
    """Thumb up, down, or neither. Raises UsageError, UnknownId."""
    if thumb not in THUMBS:
        raise UsageError("asking.unknown_thumb", value=thumb)
    with b.database.writing() as con:
        asked_table.set_thumb(con, asked_table.get(con, asked_id).id, number, thumb, who)


def correct_answer(b: Bonsai, asked_id: str, number: int, output: str, who: str, now: datetime) -> str:
    """Tell the right answer as a record, into the inbox; the submission's id. It overrules what it contradicts.

    Raises UnknownId; UsageError for a text that makes no record.
    """
    with b.database.reading() as con:
        asked = asked_table.get(con, asked_id)
    if not 1 <= number <= len(asked.answers):  # said before anything is told
        raise UnknownId("asking.unknown_answer", id=asked.id, number=number)
    fields = {"instruction": asked.question, "input": asked.context, "output": output, "source": "feedback"}
    fields = {name: value for name, value in fields.items() if value} | {"author": who}
    made = parse(fields, Origin("feedback"), Defaults(source="feedback"), Limits(**b.config.records.model_dump()))
    if isinstance(made, Reject):
        raise UsageError("asking.correction_refused", reason=text(made.reason_key, **dict(made.values)))
    submission = submit(b, fields, now)
    with b.database.writing() as con:
        asked_table.set_correction(con, asked.id, number, submission)
    return submission
