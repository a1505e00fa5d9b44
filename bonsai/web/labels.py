"""Words that several pages share: names of languages, categories and states in the reader's language, and links."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from bonsai.domain.records import LANGUAGES, Category, Reject, Status
from bonsai.web.request import Visit
from storage.tables.record_rows import StoredRecord

CATEGORIES = tuple(one.value for one in Category if one is not Category.UNCATEGORISED)
STATUSES = tuple(one.value for one in Status)
FILTERS = ("text", "language", "category", "status", "subject", "source", "author", "since", "until")
"What a list of records can be filtered by, as its form and its address name it."


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead somewhere."""

    words: str
    path: str


def records_path(**wanted: str) -> str:
    """The list of records, filtered."""
    filled = {name: str(value) for name, value in wanted.items() if value}
    return f"/records?{urlencode(filled)}" if filled else "/records"


def language_name(visit: Visit, language: str) -> str:
    """A language in the reader's words."""
    return visit.text(f"decision.language_{language}") if language in LANGUAGES else language


def reason_of(visit: Visit, stored: StoredRecord) -> str:
    """Why a record stands as it does."""
    return visit.text(stored.reason.key, **dict(stored.reason.values)) if stored.reason else ""


def reject_words(visit: Visit, told: Reject) -> str:
    """Why something became no record."""
    return visit.text(told.reason_key, **dict(told.values))
