"""Labels shared by several pages: localised names of languages, categories and states; links."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from urllib.parse import urlencode

from bonsai.domain.records import LANGUAGES, Category, Reject, Status, reasoning_sentence
from bonsai.i18n import on_page
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


def records_path(**filters: str) -> str:
    """Address of the filtered record list."""
    filled = {name: str(value) for name, value in filters.items() if value}
    return f"/records?{urlencode(filled)}" if filled else "/records"


def language_name(visit: Visit, language: str) -> str:
    """Localised name of a language."""
    return visit.text(f"decision.language_{language}") if language in LANGUAGES else language


def reasoning_words(visit: Visit, sentence: str) -> str:
    """The reasoning sentence in the reader's language; a sentence that a person wrote stays as it is."""
    for question, answer in product(LANGUAGES, LANGUAGES):
        if visit.language != "en" and sentence == reasoning_sentence(question, answer):
            names = (language_name(visit, question), language_name(visit, answer))
            return visit.text("curating.reasoning", question=names[0], answer=names[1])
    return sentence


def status_reason(visit: Visit, stored: StoredRecord) -> str:
    """Why a record has its status; empty without a reason."""
    return visit.text(on_page(stored.reason.key), **dict(stored.reason.values)) if stored.reason else ""


def reject_reason(visit: Visit, reject: Reject) -> str:
    """Why a line was rejected."""
    return visit.text(on_page(reject.reason_key), **dict(reject.values))
