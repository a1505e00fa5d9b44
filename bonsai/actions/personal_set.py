"""Edit the personal evaluation set: questions that the owner writes, beside the frozen paraphrases of records.

A written question never trains. If a record already asks it, the owner either rewords it or sets `hold_back`, which
takes that record out of training while the question counts. A later record that asks it is held back; once released,
it trains and the question retires.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bonsai.actions.learned_tagger import category_tagger
from bonsai.context import Bonsai
from bonsai.domain.promotion import BASE
from bonsai.domain.records import Defaults, Origin, Record, Reject, Status, Tags, parse
from bonsai.errors import UsageError
from bonsai.evaluate import personal_set
from bonsai.evaluate.questions import Item, item_values
from bonsai.i18n import text
from bonsai.ingest import tags
from bonsai.ingest.dedup.contamination import ContaminationCheck
from bonsai.ingest.tags import question_language
from bonsai.system.json_values import from_values
from storage.connect import Connection
from storage.sql import only_one
from storage.tables import personal_set_table, promotions_table, records_table
from storage.tables.personal_set_table import PersonalItem, PersonalSetChange

RELEASED = "released"
"Retirement reason: the owner released a record that asks the question."


@dataclass(frozen=True, slots=True)
class WrittenQuestion:
    """A question as its owner writes it."""

    paraphrases: tuple[str, ...]
    "Paraphrases of the same question; each becomes an item."
    answer: str
    accepted: tuple[str, ...] = ()
    "Keywords: an answer that contains one of them also counts as right."
    input: str = ""
    language: str = ""
    "Language of the answer; empty: detected."
    category: str = ""
    fact: str = ""
    "Name shared by paraphrases and translations; empty: the first paraphrase."


@dataclass(frozen=True, slots=True)
class PersonalSetState:
    """Size of the personal set, and whether it can decide."""

    version: str
    items: tuple[PersonalItem, ...]
    clusters: int
    "Facts."
    counting: int
    "Facts that would count tonight: without paraphrases that the champion was trained on."
    needed: int
    "Facts needed to promote on the personal set alone."

    @property
    def missing(self) -> int:
        """Number of facts still missing."""
        return max(self.needed - self.counting, 0)


@dataclass(frozen=True, slots=True)
class AddedQuestion:
    """Result of adding a question."""

    items: tuple[Item, ...]
    new: int
    "Items that changed the set."
    held_back: tuple[str, ...]
    "Ids of records held back while the question counts."
    state: PersonalSetState


def add_question(b: Bonsai, written: WrittenQuestion, *, hold_back: bool, by: str, now: datetime) -> AddedQuestion:
    """Add a question to the personal set. Idempotent; another answer replaces the previous one.

    Raises UsageError for an invalid question, a language other than Japanese or English and, unless `hold_back`, a
    question that a record already asks.
    """
    items = _items(b, written)
    with b.database.reading() as con:
        asked_by = {item.id: _records_asking(con, item) for item in items}
    known = tuple(dict.fromkeys(record for found in asked_by.values() for record in found))
    if known and not hold_back:
        asked = next(item for item in items if asked_by[item.id])
        raise UsageError("suite.asked_by_record", question=asked.instruction, ids=", ".join(one[:10] for one in known))
    stored = [PersonalItem(item.id, item.cluster, item_values(item), asked_by[item.id], now) for item in items]
    with b.database.writing() as con:
        new = personal_set_table.add(con, stored, by)
        return AddedQuestion(items, new, known, _state(b, con))


def _items(b: Bonsai, written: WrittenQuestion) -> tuple[Item, ...]:
    records = [_parse_question(b, written, paraphrase) for paraphrase in written.paraphrases]
    tagger = None if written.category else category_tagger(b)
    tagged = tags.tag_batch(records, tagger, threshold=b.config.tags.category_threshold, given_by="person")
    cluster = written.fact or personal_set.written_id(records[0].instruction, records[0].input)
    return tuple(
        personal_set.written_item(record, found, question_language(record), cluster, written.accepted)
        for record, found in zip(records, map(_supported_tags, tagged), strict=True)
    )


def _supported_tags(found: Tags) -> Tags:
    """Tags of the question. Raises UsageError for a language that the gate does not evaluate."""
    if found.language.value not in personal_set.LANGUAGES:
        raise UsageError("suite.language", language=found.language.value, valid=", ".join(personal_set.LANGUAGES))
    return found


def _parse_question(b: Bonsai, written: WrittenQuestion, paraphrase: str) -> Record:
    """The question parsed as a record, so that it is normalised alike. Raises UsageError."""
    fields = {
        "instruction": paraphrase,
        "input": written.input,
        "output": written.answer,
        "language": written.language,
        "category": written.category,
    }
    parsed = parse(
        {name: value for name, value in fields.items() if value}, Origin("form"), Defaults(source="self"),
        b.config.records,
    )  # fmt: skip
    if isinstance(parsed, Reject):
        raise UsageError("suite.no_question", reason=text(parsed.reason_key, **dict(parsed.values)))
    return parsed


def _records_asking(con: Connection, item: Item) -> tuple[str, ...]:
    """Ids of trainable records that ask the same question."""
    guard = ContaminationCheck([(item.id, item.instruction, item.input)])
    rows = (row for row in records_table.index_rows(con) if row.status is Status.ACTIVE)
    return tuple(row.id for row in rows if guard.matches(row.instruction, row.input))


def retire_questions(b: Bonsai, prefixes: Sequence[str], *, by: str, reason: str, now: datetime) -> tuple[str, ...]:
    """Retire items; returns their full ids. Raises UnknownId, UsageError for an ambiguous prefix."""
    with b.database.writing() as con:
        active = [one.id for one in personal_set_table.active_items(con)]
        ids = tuple(_resolve(active, prefix) for prefix in prefixes)
        personal_set_table.retire(con, ids, reason, now, by)
    return ids


def _resolve(known: Sequence[str], prefix: str) -> str:
    """An item has two beginnings: that of its id, and that of the part behind the stroke."""
    found = [one for one in known if one.startswith(prefix) or one.partition("/")[2].startswith(prefix)]
    return only_one(found if prefix else [], prefix, "suite.unknown_item")


def personal_set_state(b: Bonsai) -> PersonalSetState:
    """Current state of the personal set."""
    with b.database.reading() as con:
        return _state(b, con)


def _state(b: Bonsai, con: Connection) -> PersonalSetState:
    items = tuple(personal_set_table.active_items(con))
    champion = promotions_table.champion(con).adapter
    trained = personal_set_table.trained_items(con, [champion] if champion != BASE else [])
    counting = {one.cluster for one in items if one.id not in trained}
    return PersonalSetState(
        version=personal_set_table.version_of(items),
        items=items,
        clusters=len({one.cluster for one in items}),
        counting=len(counting),
        needed=b.config.gate.min_clusters,
    )


def personal_set_history(b: Bonsai) -> tuple[PersonalSetChange, ...]:
    """Every change of the personal set, oldest first."""
    with b.database.reading() as con:
        return tuple(personal_set_table.changes(con))


def written_questions(con: Connection) -> list[tuple[str, str, str]]:
    """Id, instruction and input of active written questions, which records must not contain."""
    items = [
        from_values(Item, one.item) for one in personal_set_table.active_items(con) if personal_set.is_written(one.id)
    ]
    return [(one.id, one.instruction, one.input) for one in items]


def retire_asked(con: Connection, record: Record, by: str, now: datetime) -> int:
    """Retire the written questions that a record asks, because it trains after all."""
    asked = ContaminationCheck(written_questions(con)).matches(record.instruction, record.input)
    return personal_set_table.retire(con, asked, RELEASED, now, by)
