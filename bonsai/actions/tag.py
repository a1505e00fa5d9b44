"""Tags given by a person, to one record or through the queue of uncertain ones.

found = next_uncertain(b, tagger)
version = tag_record(b, found.stored.record.id, category=found.categories[0], by="mika", now=now)
undo_tags(b, found.stored.record.id, version, by="mika", now=now)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bonsai.actions.edit import merge_tags
from bonsai.actions.import_file import CHUNK
from bonsai.actions.learned_tagger import learn_tagger
from bonsai.context import Bonsai
from bonsai.domain.record_fields import TAGS, TagName
from bonsai.domain.records import Category, Status
from bonsai.errors import UsageError
from bonsai.ingest import tags
from bonsai.ingest.tags.category import CategoryTagger, Example, by_rule
from bonsai.system.progress import Progress, Report, silent
from storage.connect import Connection
from storage.scale import counters
from storage.tables import record_versions_table, records_table
from storage.tables.record_rows import StoredRecord
from storage.tables.record_versions_table import person_tag
from storage.tables.records_table import RecordFilter, sorted_page

UNCERTAIN = RecordFilter(uncertain=True)


@dataclass(frozen=True, slots=True)
class UncertainTags:
    """One step of the queue of uncertain records."""

    stored: StoredRecord | None
    "None at the end of the queue."
    categories: tuple[str, ...]
    "Categories, most likely first; empty if neither rule nor tagger decides."
    before: str
    "Id of the previous one in the queue; empty for the first."
    left: int
    "Waiting records, skipped ones included."


def next_uncertain(b: Bonsai, tagger: CategoryTagger | None, after: str = "", at: str = "") -> UncertainTags:
    """The newest uncertain record, or the next one `after` a record; or the record `at`, uncertain or not.

    Raises UnknownId.
    """
    with b.database.reading() as con:
        left = counters.record_counts(con).uncertain
        found = [records_table.get(con, at)] if at else sorted_page(con, UNCERTAIN, 1, "newest", after)
        before = sorted_page(con, UNCERTAIN, 1, "oldest", found[0].record.id) if found else []
    return UncertainTags(
        stored=found[0] if found else None,
        categories=likely_categories(found[0], tagger) if found else (),
        before=before[0].record.id if before else "",
        left=left,
    )


def likely_categories(stored: StoredRecord, tagger: CategoryTagger | None) -> tuple[str, ...]:
    """Categories by rule and tagger, most likely first; the stored one leads if it is valid."""
    ruled, stored_category = by_rule(stored.record), stored.tags.category.value
    first = [stored_category] if stored_category != Category.UNCATEGORISED else [ruled.value] if ruled else []
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
    """Set a person's tags, which override all others; returns the number of the version that keeps the old ones.

    Raises UnknownId, UsageError.
    """
    said = {"language": language, "category": category, "reasoning": reasoning}
    with b.database.writing() as con:
        return _tag(con, record_id, {name: value for name in TAGS if (value := said[name]) is not None}, by, now)


def tag_records(b: Bonsai, ids: list[str], said: dict[TagName, str], by: str, now: datetime) -> int:
    """Set the same tags on several records, all or none; returns their number."""
    with b.database.writing() as con:
        for one in ids:
            _tag(con, one, said, by, now)
    return len(ids)


def _tag(con: Connection, record_id: str, said: dict[TagName, str], by: str, now: datetime) -> int:
    if not said:
        raise UsageError("cli.nothing_to_change", options=", ".join(TAGS))
    old = records_table.get(con, record_id)
    given = {name: person_tag(name, value, by) for name, value in said.items()}
    made = merge_tags(old.tags, given, old.question_language)
    changed = {name: getattr(made, name) for name in TAGS if getattr(made, name) != getattr(old.tags, name)}
    return record_versions_table.set_tags(con, old.record.id, changed or given, by, now)


def undo_tags(b: Bonsai, record_id: str, number: int, by: str, now: datetime) -> str:
    """Restore the tags before version `number`; returns the record's id. Raises UnknownId, ConflictError."""
    with b.database.writing() as con:
        return record_versions_table.take_back_tags(con, record_id, number, by, now).record.id


def retag(b: Bonsai, now: datetime, report: Report = silent) -> int:
    """Recompute automatic tags with a newly trained tagger; people's tags stay.

    Returns the number of changed records.
    """
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
