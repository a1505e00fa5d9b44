"""Recovers what a person typed when its request fails: the answer holds a form that sends it again.

One mechanism for all forms and causes: an expired session, a busy database, a full disk, a server error. The server
keeps nothing; the text is in the response, and a login passes it on.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

from bonsai.web.problems import Problem
from bonsai.web.request import Site, read_form
from bonsai.web.security import is_from_our_page

FIELD_PREFIX = "sent."
"Prefix of fields that a login passes on."
LABELS = {
    "instruction": "question",
    "output": "answer",
    "input": "context_label",
    "subject": "note_subject",
    "happened_on": "note_happened_on",
    "feeling": "note_feeling",
    "raw": "entering.repair_label",
    "why": "entering.dismiss_why",
    "reason": "reason",
    "question": "asking.question",
    "context": "asking.context",
    "source_name": "note_source_name",
}
"Text fields; all others are resent hidden."
MAX_QUERY_CHARACTERS = 2_000
MAX_CHARACTERS = 400_000
"The longest record has 120,000; more would only cost the server memory."


@dataclass(frozen=True, slots=True)
class RecoveredForm:
    """A submitted form."""

    path: str
    "Target, with its query."
    fields: Mapping[str, str]

    @property
    def texts(self) -> list[tuple[str, str, str]]:
        """Name, label key and value of each text field."""
        return [(name, LABELS[name], value) for name, value in self.fields.items() if name in LABELS and value.strip()]

    @property
    def rest(self) -> list[tuple[str, str]]:
        """All other fields."""
        shown = {name for name, _, _ in self.texts}
        return [(name, value) for name, value in self.fields.items() if name not in shown]

    @property
    def handed_on(self) -> list[tuple[str, str]]:
        """As hidden fields of the login form."""
        return [(FIELD_PREFIX + name, value) for name, value in self.fields.items()]


def requested_address(request: Request) -> str:
    """The requested address; without its query if that is too long to pass on."""
    query = request.url.query
    return f"{request.url.path}?{query}" if 0 < len(query) <= MAX_QUERY_CHARACTERS else request.url.path


async def recovered_form(request: Request) -> RecoveredForm | None:
    """The form of a request, even one that failed before it was read.

    None without one, and for cross-site requests: nobody must be led to resend those from here.
    """
    site: Site = request.app.state.site
    if request.method != "POST" or request.url.path == "/login" or not is_from_our_page(request, https=site.https):
        return None
    fields: Mapping[str, str] | None = getattr(request.state, "form", None)
    if fields is None and not getattr(request.state, "body_begun", False):
        with suppress(Problem, ClientDisconnect):
            fields = await read_form(request)
    if fields is None or sum(map(len, fields.values())) > MAX_CHARACTERS:
        return None
    return RecoveredForm(requested_address(request), fields)


def passed_on_form(form: Mapping[str, str], path: str) -> RecoveredForm | None:
    """The form that a login was given to pass on."""
    fields = {name.removeprefix(FIELD_PREFIX): value for name, value in form.items() if name.startswith(FIELD_PREFIX)}
    return RecoveredForm(path, fields) if "again" in form else None
