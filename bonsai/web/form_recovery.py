"""What a person typed, kept when its request fails: it comes back in a form that sends it once more.

One way for every form of every page: a session that ended, a database that another process holds, a full disk, a
mistake of ours. Nothing is kept on the server; what was sent stands in the answer, and a login hands it on.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from starlette.requests import Request

from bonsai.web.problems import Problem
from bonsai.web.request import Site, read_form
from bonsai.web.security import is_from_our_page

SENT = "sent."
"Begins the name of a field that a login hands on."
LABELS = {
    "instruction": "question",
    "output": "answer",
    "input": "context_label",
    "subject": "note_subject",
    "happened_on": "note_happened_on",
    "feeling": "note_feeling",
    "raw": "entering.mend_label",
    "why": "entering.dismiss_why",
    "reason": "reason",
    "question": "asking.question",
    "context": "asking.context",
    "source_name": "note_source_name",
}
"The fields that a person fills with words; all others are sent again unseen."
LONGEST_QUERY = 2_000
MOST_CHARACTERS = 400_000
"The longest record is 120,000; a page of more would only cost the server memory."


@dataclass(frozen=True, slots=True)
class RecoveredForm:
    """A form that was sent."""

    path: str
    "Where to, with its query."
    fields: Mapping[str, str]

    @property
    def texts(self) -> list[tuple[str, str, str]]:
        """Name, key of the label, and value of what a person wrote."""
        return [(name, LABELS[name], value) for name, value in self.fields.items() if name in LABELS and value.strip()]

    @property
    def rest(self) -> list[tuple[str, str]]:
        """All other fields."""
        shown = {name for name, _, _ in self.texts}
        return [(name, value) for name, value in self.fields.items() if name not in shown]

    @property
    def handed_on(self) -> list[tuple[str, str]]:
        """As fields of the login."""
        return [(SENT + name, value) for name, value in self.fields.items()]


def here(request: Request) -> str:
    """The address that was asked for; without its query where that is too long to be handed on."""
    query = request.url.query
    return f"{request.url.path}?{query}" if 0 < len(query) <= LONGEST_QUERY else request.url.path


async def recovered_form(request: Request) -> RecoveredForm | None:
    """The form of a request, also of one that failed before it was read.

    None without one, and for one that a foreign page sent: nobody shall be led to send that again from here.
    """
    site: Site = request.app.state.site
    if request.method != "POST" or request.url.path == "/login" or not is_from_our_page(request, https=site.https):
        return None
    fields: Mapping[str, str] | None = getattr(request.state, "form", None)
    if fields is None and not getattr(request.state, "body_begun", False):
        with suppress(Problem):
            fields = await read_form(request)
    if fields is None or sum(map(len, fields.values())) > MOST_CHARACTERS:
        return None
    return RecoveredForm(here(request), fields)


def handed_on(form: Mapping[str, str], path: str) -> RecoveredForm | None:
    """What a login was given to hand on."""
    fields = {name.removeprefix(SENT): value for name, value in form.items() if name.startswith(SENT)}
    return RecoveredForm(path, fields) if "again" in form else None
