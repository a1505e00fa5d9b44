"""The tables `asked` and `asked_answers`: people's questions, models' answers, thumbs and corrections."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from bonsai.errors import UnknownId
from bonsai.ingest.dedup.comparison import text_key
from bonsai.ingest.dedup.ngrams import nearest
from storage.connect import Connection
from storage.sql import Row, from_utc, full_id, rows, to_utc, values

Thumb = Literal["up", "down", ""]
THUMBS: tuple[Thumb, ...] = ("up", "down", "")
SIMILAR = 0.5
"Share of a forgotten text's n-grams from which a question or answer reveals the text."
MIN_CONTAINED_CHARACTERS = 4
"Forgotten texts below this length are not searched inside others: a `yes` is in every second answer."


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """One model's answer."""

    number: int
    adapter: str
    "Adapter id, or `base`."
    answer: str
    language: str
    category: str
    reasoning: str
    given: bool
    "The tags were given to the model; otherwise it declared them."
    ended: bool
    thumb: Thumb = ""
    thumb_by: str = ""
    correction: str = ""
    "Id of the submission with the correction."


@dataclass(frozen=True, slots=True)
class StoredQuestion:
    """One question with its answers."""

    id: str
    question: str
    "Empty when forgotten, like the answers."
    context: str
    who: str
    record_ids: tuple[str, ...]
    asked_at: datetime
    answers: tuple[StoredAnswer, ...] = ()


def add(con: Connection, asked: StoredQuestion, keep: int) -> None:
    """Insert a question with its answers, and delete all but the newest `keep` questions. Safe to repeat."""
    if values(con, "SELECT 1 FROM asked WHERE id = ?", [asked.id]):
        return
    con.execute(
        "INSERT INTO asked (id, question, context, who, record_ids, asked_at) VALUES (?, ?, ?, ?, ?, ?)",
        [asked.id, asked.question, asked.context, asked.who, list(asked.record_ids), to_utc(asked.asked_at)],
    )
    for one in asked.answers:
        con.execute(
            "INSERT INTO asked_answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                asked.id, one.number, one.adapter, one.answer, one.language, one.category, one.reasoning, one.given,
                one.ended, one.thumb, one.thumb_by, one.correction,
            ],
        )  # fmt: skip
    con.execute("DELETE FROM asked WHERE sequence <= (SELECT max(sequence) FROM asked) - ?", [keep])
    con.execute("DELETE FROM asked_answers WHERE asked_id NOT IN (SELECT id FROM asked)")


def get(con: Connection, prefix: str) -> StoredQuestion:
    """By id or an unambiguous prefix. Raises UnknownId, UsageError."""
    found = full_id(con, "asked", prefix, unknown="asking.unknown_question")
    return _with_answers(con, rows(con, "FROM asked WHERE id = ?", [found]))[0]


def newest(con: Connection, limit: int, before: str = "") -> list[StoredQuestion]:
    """One page, newest first; the cursor `before` is the last id of the page before."""
    where = "WHERE sequence < (SELECT sequence FROM asked WHERE id = $before)" if before else ""
    query = f"FROM asked {where} ORDER BY sequence DESC LIMIT {int(limit)}"
    return _with_answers(con, rows(con, query, {"before": before} if before else {}))


def set_thumb(con: Connection, asked_id: str, number: int, thumb: Thumb, who: str) -> None:
    """Set a person's thumb on an answer; the last one counts. Raises UnknownId."""
    update = "UPDATE asked_answers SET thumb = ?, thumb_by = ? WHERE asked_id = ? AND number = ? RETURNING number"
    if not values(con, update, [thumb, who if thumb else "", asked_id, number]):
        raise UnknownId("asking.unknown_answer", id=asked_id, number=number)


def set_correction(con: Connection, asked_id: str, number: int, submission: str) -> None:
    """Set the submission that corrects an answer. Raises UnknownId."""
    update = "UPDATE asked_answers SET correction = ? WHERE asked_id = ? AND number = ? RETURNING number"
    if not values(con, update, [submission, asked_id, number]):
        raise UnknownId("asking.unknown_answer", id=asked_id, number=number)


def forget(con: Connection, record_ids: Collection[str], record_texts: Sequence[tuple[str, str]]) -> int:
    """Empty every question that used or reveals one of the records; returns how many.

    `record_texts`: (instruction, output) of the records. Question, context and answers go together; thumbs stay.
    """
    texts = [one for pair in record_texts for one in pair if one]
    ids = [one.id for one in newest(con, 2**31) if one.question and _reveals(one, frozenset(record_ids), texts)]
    update = "UPDATE asked SET question = '', context = '', record_ids = [] WHERE id IN (SELECT unnest(?))"
    con.execute(update, [ids])
    empty = "UPDATE asked_answers SET answer = '', reasoning = '', correction = '' WHERE asked_id IN (SELECT unnest(?))"
    con.execute(empty, [ids])
    return len(ids)


def _reveals(asked: StoredQuestion, record_ids: frozenset[str], texts: Sequence[str]) -> bool:
    if not record_ids.isdisjoint(asked.record_ids):
        return True
    contents = [one for one in (asked.question, asked.context, *(answer.answer for answer in asked.answers)) if one]
    keys = [text_key(one) for one in contents]
    for text in texts:
        key = text_key(text)
        if any(key == one or (len(key) >= MIN_CONTAINED_CHARACTERS and key in one) for one in keys):
            return True
    return any(near for near in nearest(texts, contents, most=1, at_least=SIMILAR))


def _with_answers(con: Connection, found: Sequence[Row]) -> list[StoredQuestion]:
    query = "FROM asked_answers WHERE asked_id IN (SELECT unnest(?)) ORDER BY asked_id, number"
    made: dict[str, list[StoredAnswer]] = {}
    for row in rows(con, query, [[one["id"] for one in found]]):
        made.setdefault(row.pop("asked_id"), []).append(StoredAnswer(**row))
    return [replace(_asked(row), answers=tuple(made.get(row["id"], ()))) for row in found]


def _asked(row: Row) -> StoredQuestion:
    return StoredQuestion(
        row["id"], row["question"], row["context"], row["who"], tuple(row["record_ids"]), from_utc(row["asked_at"])
    )
