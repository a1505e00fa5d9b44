"""Labels shared by several pages: localised names of languages, categories and states; links."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from bonsai.domain.records import LANGUAGES, Category, Reject, Status
from bonsai.web.request import Visit
from storage.tables.record_rows import StoredRecord

CATEGORIES = tuple(one.value for one in Category if one is not Category.UNCATEGORISED)
STATUSES = tuple(one.value for one in Status)
FILTERS = ("text", "language", "category", "status", "subject", "source", "author", "since", "until")
"Record filters, as the form and the query string name them."


@dataclass(frozen=True, slots=True)
class Link:
    """A link with its text."""

    words: str
    path: str


def records_path(**wanted: str) -> str:
    """Address of the filtered record list."""
    filled = {name: str(value) for name, value in wanted.items() if value}
    return f"/records?{urlencode(filled)}" if filled else "/records"


def language_name(visit: Visit, language: str) -> str:
    """Localised name of a language."""
    return visit.text(f"decision.language_{language}") if language in LANGUAGES else language


def status_reason(visit: Visit, stored: StoredRecord) -> str:
    """Why a record has its status."""
    return visit.text(stored.reason.key, **dict(stored.reason.values)) if stored.reason else ""


def reject_reason(visit: Visit, told: Reject) -> str:
    """Why a line became no record."""
    return visit.text(told.reason_key, **dict(told.values))
