"""Presenter of the record pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bonsai.domain.record_fields import FIELD, NOTES, TAGS
from bonsai.domain.records import LANGUAGES, SOURCES, Category, Status, Tags
from bonsai.web import problems
from bonsai.web.labels import CATEGORIES, FILTERS, STATUSES, language_name, reasoning_words, records_path, status_reason
from bonsai.web.request import Visit
from storage.tables.record_rows import StoredRecord
from storage.tables.records_table import SORTS, RecordFilter, Sort

SHOWN_CHARACTERS = 240
"Characters of a text in a list."
ORIGINS = ("form", "api", "edit", "feedback")
"Origins that are no file name."
KNOWN: Mapping[str, Sequence[str]] = {
    "language": LANGUAGES,
    "category": tuple(one.value for one in Category),
    "status": STATUSES,
    "source": SOURCES,
}
"Valid values of filters that are not free text."
Choices = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record in the list."""

    id: str
    question: str
    answer: str
    language: str
    category: str
    status: str
    reason: str
    about: str
    "Subject and date."


@dataclass(frozen=True, slots=True)
class TagShown:
    """A tag with its origin and confidence."""

    name: str
    value: str
    source: str
    sure: str


def filter_of(given: Mapping[str, str]) -> RecordFilter:
    """Filter from the query string. Raises Problem for an invalid value."""
    said = {name: given.get(name, "").strip() for name in (*FILTERS, "reason", "snapshot")}
    days = {name: problems.day({name: said.pop(name)}, name) for name in ("since", "until")}
    for name, valid in KNOWN.items():
        problems.one_of(said, name, valid)
    uncertain = problems.one_of(given, "uncertain", ("1",)) == "1"
    current = not said["snapshot"]  # an adapter may have been trained on a version edited since
    return RecordFilter(**said, **days, uncertain=uncertain, current=current)  # type: ignore[arg-type]


def sort_of(given: Mapping[str, str]) -> Sort:
    """Sort order from the query string. Raises Problem."""
    return problems.one_of(given, "sort", SORTS) or SORTS[0]


def page_path(given: Mapping[str, str], before: str) -> str:
    """Address of another page of the list."""
    return records_path(**list_parameters(given), before=before)


def list_parameters(given: Mapping[str, str]) -> dict[str, str]:
    """The query parameters that select the list."""
    names = (*FILTERS, "reason", "uncertain", "snapshot", "sort")
    return {name: given[name] for name in names if given.get(name)}


def rows(visit: Visit, records: Sequence[StoredRecord]) -> list[RecordRow]:
    """One row per record."""
    return [
        RecordRow(
            id=one.record.id,
            question=shorten(one.record.instruction),
            answer=shorten(one.record.output),
            language=one.tags.language.value,
            category=one.tags.category.value,
            status=one.status.value,
            reason=status_reason(visit, one) if one.status is not Status.ACTIVE else "",
            about=" · ".join(str(part) for part in (one.record.subject, one.record.happened_on) if part),
        )
        for one in records
    ]


def shorten(text: str) -> str:
    """Beginning of a text, on one line."""
    line = " ".join(text[: 2 * SHOWN_CHARACTERS].split())
    return line if len(line) <= SHOWN_CHARACTERS else f"{line[:SHOWN_CHARACTERS]}…"


def languages(visit: Visit) -> Choices:
    """Options."""
    return [(one, language_name(visit, one)) for one in LANGUAGES]


def categories(visit: Visit) -> Choices:
    """Options."""
    return [(one, visit.text(f"category_{one}")) for one in CATEGORIES]


def statuses(visit: Visit) -> Choices:
    """Options."""
    return [(one, visit.text(f"status_{one}")) for one in STATUSES]


def tags_shown(visit: Visit, tags: Tags) -> list[TagShown]:
    """The three tags, localised."""
    return [
        TagShown(name, tag_words(visit, name, tag.value), visit.text(f"source_{tag.source}"), f"{tag.confidence:.0%}")
        for name in TAGS
        if (tag := getattr(tags, name)).value
    ]


def tag_words(visit: Visit, name: str, value: str) -> str:
    """A tag's localised value."""
    if name == "language":
        return language_name(visit, value)
    return visit.text(f"category_{value}") if name == "category" else reasoning_words(visit, value)


def note_words(visit: Visit, name: str, value: str) -> str:
    """A note's value for display: a source by its localised name, anything else as written."""
    return visit.text(f"curating.source_{value}") if name == "source" and value in SOURCES else value


def notes(visit: Visit, stored: StoredRecord) -> Iterator[tuple[str, str]]:
    """Further notes on a record."""
    for name in NOTES:
        value = getattr(stored.record, name)
        if value:
            yield visit.text(FIELD[name].label), note_words(visit, name, str(value))
    origin = stored.record.origin
    words = visit.text(f"curating.origin_{origin.name}") if origin.name in ORIGINS else origin.name
    yield visit.text("note_origin"), f"{words}:{origin.line}" if origin.line else words
