"""Request context: user, language, form, and the page in response."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import Depends, Request
from jinja2 import Environment
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bonsai.actions.ask import QuestionQueue
from bonsai.auth import accounts
from bonsai.auth.accounts import Person
from bonsai.auth.throttling import Throttle
from bonsai.config.settings import DashboardSettings
from bonsai.context import Bonsai
from bonsai.errors import (
    BonsaiError,
    ConflictError,
    HomeError,
    InputError,
    NoRoom,
    PromotionError,
    TransientError,
    UnknownId,
    UsageError,
)
from bonsai.i18n import TEXT_LANGUAGES, TextLanguage, area_texts, on_page, text
from bonsai.ingest.tags.category import CategoryTagger
from bonsai.queries.explanation import Explanation
from bonsai.web.problems import LoginNeeded, Problem
from bonsai.web.security import check_content_length, read_body
from storage import audit
from storage.tables.users_table import Role

LANGUAGE_COOKIE = "bonsai_language"
SESSION_COOKIE = "bonsai_session"
YEAR_SECONDS = 365 * 24 * 3600
MAX_FIELDS = 256
SUCCESS_MESSAGES = (
    *("approve", "reject", "rollback", "add", "forget", "release", "exclude"),
    *("thumb", "correct"),
    *("edit", "restore", "resolve", "reopen", "undo", "many"),
    *("repair", "dismiss", "settled", "cancel"),
    *("night_start", "night_cancel"),
    *("base_start", "base_use", "base_remove"),
)
"Success messages that an address can name."
PAGE_ERRORS = {"storage.locked": "busy", "storage.locked_by": "busy", "storage.no_room": "no_room"}
"Errors whose text names files and processes; pages show `problem_...` instead."
LOCAL_PATH = re.compile(r"/(?![/\\])[^\s\\]*")
"A path on this server; `//elsewhere` and `/\\elsewhere` are not."


@dataclass(frozen=True, slots=True)
class Site:
    """What all pages share; created once."""

    opened: Callable[[], Bonsai]
    "The home with its settings of the moment."
    settings: DashboardSettings
    clock: Callable[[], datetime]
    owner: str
    "User without a login, on loopback; empty if everybody logs in."
    drain: Callable[[], None]
    "Starts a drain in its own process."
    start_night: Callable[[str, bool], object]
    "Starts a night: user, and whether cold. Raises UsageError while one runs."
    environment: Environment
    throttle: Throttle
    tagger: Callable[[], CategoryTagger | None]
    "Loaded on first use."
    questions: QuestionQueue
    environ: Mapping[str, str]
    "Environment layer of the settings."
    explain: Callable[[str], Explanation]
    "Explanation of a promotion; takes a second, so recent ones are cached until the database changes."
    https: bool = False
    "Whether browsers use HTTPS, through a proxy in front."

    @property
    def b(self) -> Bonsai:
        """The home."""
        return self.opened()


@dataclass(frozen=True, slots=True)
class Visit:
    """One request."""

    site: Site
    request: Request
    language: TextLanguage
    person: Person | None

    @property
    def b(self) -> Bonsai:
        """The home."""
        return self.site.b

    @property
    def now(self) -> datetime:
        """Aware, UTC."""
        return self.site.clock()

    @property
    def who(self) -> str:
        """The user's name."""
        return self.person.name if self.person else ""

    def at_once(self) -> AbstractContextManager[object]:
        """One consistent read that waits for a writer only once. For at most some 50 ms of work."""
        return self.b.database.reading()

    def text(self, key: str, /, **values: Any) -> str:
        """A localised text, by default in the area `dashboard`."""
        return localise(self.language, key, **values)

    def words_of(self, error: BonsaiError) -> str:
        """An error's message as pages show it."""
        if error.key in PAGE_ERRORS:
            return self.text(f"problem_{PAGE_ERRORS[error.key]}")
        key = on_page(error.key)
        if key == error.key:
            return error.render(self.language)
        values = error.values
        if error.key == "promotion.illegal_move":
            values = self._move_words(**values)
        return self.text(key, **values)

    def _move_words(self, state: str, action: str, legal: str) -> dict[str, str]:
        states = [self.text(f"promotion.state_{one}") for one in legal.split(", ")]
        return {
            "state": self.text(f"promotion.state_{state}"),
            "action": self.text(f"do_{action.replace('_', '')}"),
            "legal": self.text("comma").join(states),
        }

    def html(self, key: str, /, **values: Any) -> Markup:
        """A localised text as markup; values that are not markup are escaped."""
        area, name = (key if "." in key else f"dashboard.{key}").split(".", 1)
        return Markup(escape(area_texts(area, self.language)[name])).format(**values)

    def page(self, template: str, /, status: int = 200, **values: Any) -> Response:
        """Render a template; remembers `?lang`."""
        done = self.request.query_params.get("done", "")
        shown = self.site.environment.get_template(template).render(
            visit=self,
            t=self.text,
            html=self.html,
            lang=self.language,
            person=self.person,
            path=self.request.url.path,
            done=self.text(f"done_{done}") if done in SUCCESS_MESSAGES else "",
            zone=self.now.astimezone().tzname(),
            **values,
        )
        response = HTMLResponse(shown, status)
        if self.request.query_params.get("lang") == self.language:
            response.set_cookie(LANGUAGE_COOKIE, self.language, max_age=YEAR_SECONDS, httponly=True, samesite="strict")
        return response

    def go(self, path: str, done: str = "", **kept: str) -> Response:
        """Redirect after an action; `done` names the success message."""
        query = {**({"done": done} if done else {}), **kept}
        return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, 303)

    def noted(self, action: str, target: str = "", who: str = "") -> None:
        """Write an audit line; `who` if nobody is logged in yet."""
        audit.append(self.b.places.logs, audit.AuditEntry(self.now, who or self.who, action, target, self.address))

    @property
    def address(self) -> str:
        """The client's address."""
        return self.request.client.host if self.request.client else ""

    def in_language(self, language: str) -> str:
        """This page's address in another language."""
        others = [
            (name, value) for name, value in self.request.query_params.multi_items() if name not in ("lang", "done")
        ]
        return f"{quote(self.request.url.path)}?{urlencode([*others, ('lang', language)])}"


def localise(language: TextLanguage, key: str, /, **values: Any) -> str:
    """A text in a language; keys without an area are of `dashboard`."""
    return text(key if "." in key else f"dashboard.{key}", language, **values)


def visitor(request: Request) -> Visit:
    """Any visitor, logged in or not."""
    site: Site = request.app.state.site
    person: Person | None = Person(site.owner, "admin") if site.owner else None
    if person is None:
        person = accounts.find_session_user(site.b, request.cookies.get(session_cookie(site), ""), site.clock())
    return Visit(site, request, choose_language(request), person)


def session_cookie(site: Site) -> str:
    """Over HTTPS with the `__Host-` prefix, so that no sibling host can set it (RFC 6265bis)."""
    return f"__Host-{SESSION_COOKIE}" if site.https else SESSION_COOKIE


AnyVisit = Annotated[Visit, Depends(visitor)]


def _needs(role: Role, visit: Visit) -> Visit:
    if visit.person is None:
        raise LoginNeeded
    if not visit.person.may(role):
        raise Problem(403, "problem_role")
    return visit


def require_contributor(visit: AnyVisit) -> Visit:
    """Requires the contributor role."""
    return _needs("contributor", visit)


def require_admin(visit: AnyVisit) -> Visit:
    """Requires the admin role."""
    return _needs("admin", visit)


def require_reviewer(visit: AnyVisit) -> Visit:
    """Requires the reviewer role."""
    return _needs("reviewer", visit)


Contributor = Annotated[Visit, Depends(require_contributor)]
Reviewer = Annotated[Visit, Depends(require_reviewer)]
Admin = Annotated[Visit, Depends(require_admin)]


async def read_form(request: Request) -> dict[str, str]:
    """Form fields. Raises Problem for another content type or an oversized body."""
    check_content_length(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Problem(415, "problem_no_form")
    body = await read_body(request)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise Problem(422, "problem_no_form") from None
    request.state.form = dict(pairs)  # returned to the user if the request fails
    return dict(pairs)


Form = Annotated[dict[str, str], Depends(read_form)]


def choose_language(request: Request) -> TextLanguage:
    """`?lang`, else the remembered choice, else Accept-Language; English by default."""
    requested = (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE))
    chosen = next((one for name in requested for one in TEXT_LANGUAGES if one == name), None)
    return chosen or accepted_language(request.headers.get("accept-language", ""))


def accepted_language(header: str) -> TextLanguage:
    """Best supported language of an `Accept-Language` header (RFC 9110, 12.5.4)."""
    weighed: list[tuple[float, TextLanguage]] = []
    for part in header.split(",")[:20]:
        name, _, rest = part.partition(";")
        found = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", rest) if rest else None
        weight = float(found[1]) if found else 0.0 if rest else 1.0
        for language in TEXT_LANGUAGES:
            if name.strip().lower().partition("-")[0] == language and weight > 0:
                weighed.append((weight, language))
    return max(weighed, key=lambda one: one[0])[1] if weighed else "en"


def local_path(path: str) -> str:
    """The local path to continue at after a login, else `/`."""
    return path if LOCAL_PATH.fullmatch(path) else "/"


def problem_of(error: BonsaiError) -> int:
    """HTTP status of an error."""
    known: tuple[tuple[type[BonsaiError], int], ...] = (
        (UnknownId, 404),
        (accounts.LoginRefused, 401),
        (PromotionError, 409),
        (ConflictError, 409),
        (UsageError, 422),
        (InputError, 422),
        (TransientError, 503),
        (HomeError, 503),
        (NoRoom, 507),
    )
    return next((status for kind, status in known if isinstance(error, kind)), 500)
