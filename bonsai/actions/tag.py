"""Tags by a person: one record, or the queue of those that Bonsai is not sure of, with what it would say itself.

found = next_uncertain(b, tagger)
kept = tag_record(b, found.stored.record.id, category=found.categories[0], by="mika", now=now)
take_back_tags(b, found.stored.record.id, kept, by="mika", now=now)         # as if nothing had been said
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bonsai.actions.edit import with_given
from bonsai.actions.import_file import CHUNK
from bonsai.actions.learned_tagger import learn_tagger
from bonsai.context import Bonsai
from bonsai.domain.records import Category, Status
from bonsai.errors import UsageError
from bonsai.ingest import tags
from bonsai.ingest.tags.category import CategoryTagger, Example
from bonsai.ingest.tags.category_rules import by_rule
from bonsai.system.progress import Progress, Report, silent
from storage.connect import Connection
from storage.scale import counters
from storage.tables import record_versions_table, records_pages, records_table
from storage.tables.record_rows import StoredRecord
from storage.tables.record_versions_table import TagName, person_tag
from storage.tables.records_table import RecordFilter

UNCERTAIN = RecordFilter(uncertain=True)
NAMES: tuple[TagName, ...] = ("language", "category", "reasoning")


@dataclass(frozen=True, slots=True)
class UncertainTags:
    """Whose turn it is in the queue of uncertain records."""

    stored: StoredRecord | None
    "None at the end of the queue."
    categories: tuple[str, ...]
    "Categories, the likeliest first; empty when neither a rule nor a tagger has an opinion."
    before: str
    "Id of the one before it in the queue; empty for the first."
    left: int
    "How many wait, whatever was skipped."


def next_uncertain(b: Bonsai, tagger: CategoryTagger | None, after: str = "", at: str = "") -> UncertainTags:
    """The newest uncertain record, or the next one `after` a record; or the record `at`, sure or not.

    Raises UnknownId.
    """
    with b.database.reading() as con:
        left = counters.record_counts(con).uncertain
        found = [records_table.get(con, at)] if at else records_pages.page(con, UNCERTAIN, 1, "newest", after)
        before = records_pages.page(con, UNCERTAIN, 1, "oldest", found[0].record.id) if found else []
    return UncertainTags(
        stored=found[0] if found else None,
        categories=likely(found[0], tagger) if found else (),
        before=before[0].record.id if before else "",
        left=left,
    )


def likely(stored: StoredRecord, tagger: CategoryTagger | None) -> tuple[str, ...]:
    """Categories by rule and tagger, the likeliest first; the stored one leads when it is one."""
    ruled, told = by_rule(stored.record), stored.tags.category.value
    first = [told] if told != Category.UNCATEGORISED else [ruled.value] if ruled else []
    if tagger is None:
        return tuple(first)
    (shares,) = tagger.probabilities([Example.of(stored.record)])
    ranked = [tagger.classes[int(place)] for place in (-shares).argsort()]
    return tuple(dict.fromkeys([*first, *ranked]))


def tag_record(
    b: Bonsai,
    record_id: str,
    *,
    language: str | None = None,
    category: str | None = None,
    reasoning: str | None = None,
    by: str,
    now: datetime,
) -> int:
    """A person's tags: they win over all others; the number of the version that says what stood there before.

    Raises UnknownId, UsageError.
    """
    said = {"language": language, "category": category, "reasoning": reasoning}
    with b.database.writing() as con:
        return _tag(con, record_id, {name: value for name in NAMES if (value := said[name]) is not None}, by, now)


def tag_records(b: Bonsai, ids: list[str], said: dict[TagName, str], by: str, now: datetime) -> int:
    """The same tags for several records; how many. All of them or, when one cannot have them, none."""
    with b.database.writing() as con:
        for one in ids:
            _tag(con, one, said, by, now)
    return len(ids)


def _tag(con: Connection, record_id: str, said: dict[TagName, str], by: str, now: datetime) -> int:
    if not said:
        raise UsageError("cli.nothing_to_change", options=", ".join(NAMES))
    old = records_table.get(con, record_id)
    given = {name: person_tag(name, value, by) for name, value in said.items()}
    made = with_given(old.tags, given, old.question_language)
    changed = {name: getattr(made, name) for name in NAMES if getattr(made, name) != getattr(old.tags, name)}
    return record_versions_table.set_tags(con, old.record.id, changed or given, by, now)


def take_back_tags(b: Bonsai, record_id: str, number: int, by: str, now: datetime) -> str:
    """The tags as they were before version `number`; the record's id. Raises UnknownId, ConflictError."""
    with b.database.writing() as con:
        return record_versions_table.take_back_tags(con, record_id, number, by, now).record.id


def retag(b: Bonsai, now: datetime, report: Report = silent) -> int:
    """Give the automatic tags anew, learning from what people said; their tags stay. How many records changed."""
    tagger = learn_tagger(b)
    with b.database.reading() as con:
        stored = [one for one in records_table.list_records(con) if one.status is not Status.FORGOTTEN]
    changed = 0
    for start in range(0, len(stored), CHUNK):
        chunk = stored[start : start + CHUNK]
        found = tags.retag_batch(
            [one.record for one in chunk],
            [one.tags for one in chunk],
            tagger,
            threshold=b.config.tags.category_threshold,
        )
        new = {one.record.id: made for one, made in zip(chunk, found, strict=True) if made != one.tags}
        with b.database.writing() as con:
            changed += record_versions_table.retag(con, new, now) and len(new)
        report(Progress("tag", start + len(chunk), len(stored)))
    return changed
