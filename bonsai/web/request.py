"""One request: who asks, in which language, what they sent, and the page they get."""

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

from bonsai.actions.question_queue import QuestionQueue
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
from bonsai.i18n import TEXT_LANGUAGES, TextLanguage, area_texts, text
from bonsai.ingest.tags.category import CategoryTagger
from bonsai.queries.explanation import Explanation
from bonsai.web.problems import LoginNeeded, Problem
from bonsai.web.security import read_body, refuse_long
from storage import audit
from storage.tables.users_table import Role

LANGUAGE_COOKIE = "bonsai_language"
SESSION_COOKIE = "bonsai_session"
YEAR_SECONDS = 365 * 24 * 3600
MOST_FIELDS = 256
DONE = (
    *("approve", "reject", "rollback", "add", "forget", "release", "exclude"),
    *("thumb", "correct"),
    *("edit", "restore", "resolve", "reopen", "undo", "many"),
    *("mend", "dismiss", "settled", "cancel"),
    *("night_start", "night_cancel"),
)
"What a page may say was just done; an address can name nothing else."
PLAINLY = {"storage.locked": "busy", "storage.locked_by": "busy", "storage.no_room": "no_room"}
"Errors that name files and processes, which are no reader's business: what a page says instead, `problem_...`."
OWN_PATH = re.compile(r"/(?![/\\])[^\s\\]*")
"A path on this server: `//elsewhere` and `/\\elsewhere` are none."


@dataclass(frozen=True, slots=True)
class Site:
    """What all pages share; made once."""

    b: Bonsai
    settings: DashboardSettings
    clock: Callable[[], datetime]
    owner: str
    "Who acts without a login, on loopback; empty when everybody logs in."
    drain: Callable[[], None]
    "Starts taking in the inbox, in a process of its own."
    start_night: Callable[[str, bool], object]
    "Starts a night: who wants it, and whether cold. Raises UsageError while one runs."
    environment: Environment
    throttle: Throttle
    tagger: Callable[[], CategoryTagger | None]
    "Loaded by the first question for it."
    questions: QuestionQueue
    environ: Mapping[str, str]
    "The settings' third layer."
    explain: Callable[[str], Explanation]
    "Of a promotion; takes a second, so the last ones are kept until the database changes."
    https: bool = False
    "Whether browsers speak HTTPS, to a proxy before us."


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
        """The person's name."""
        return self.person.name if self.person else ""

    def at_once(self) -> AbstractContextManager[object]:
        """What is read within it shows one moment, and waits for who writes once. For what takes some 50 ms at most."""
        return self.b.database.reading()

    def text(self, key: str, /, **values: Any) -> str:
        """`text`, of the area `dashboard` where the key names none."""
        return say(self.language, key, **values)

    def words_of(self, error: BonsaiError) -> str:
        """What an error says on a page."""
        return self.text(f"problem_{PLAINLY[error.key]}") if error.key in PLAINLY else error.render(self.language)

    def html(self, key: str, /, **values: Any) -> Markup:
        """`text` for a page, with values that may be markup; whatever is none is escaped."""
        area, name = (key if "." in key else f"dashboard.{key}").split(".", 1)
        return Markup(escape(area_texts(area, self.language)[name])).format(**values)

    def page(self, template: str, /, status: int = 200, **values: Any) -> Response:
        """The template filled in; the choice of `?lang` is remembered."""
        done = self.request.query_params.get("done", "")
        shown = self.site.environment.get_template(template).render(
            visit=self,
            t=self.text,
            html=self.html,
            lang=self.language,
            person=self.person,
            path=self.request.url.path,
            done=self.text(f"done_{done}") if done in DONE else "",
            zone=self.now.astimezone().tzname(),
            **values,
        )
        response = HTMLResponse(shown, status)
        if self.request.query_params.get("lang") == self.language:
            response.set_cookie(LANGUAGE_COOKIE, self.language, max_age=YEAR_SECONDS, httponly=True, samesite="strict")
        return response

    def go(self, path: str, done: str = "", **kept: str) -> Response:
        """To another page, after something was done; `done` names the sentence that says so."""
        query = {**({"done": done} if done else {}), **kept}
        return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, 303)

    def noted(self, action: str, target: str = "", who: str = "") -> None:
        """A line for the audit; `who` where nobody is logged in yet."""
        audit.note(self.b.places.logs, audit.Act(self.now, who or self.who, action, target, self.address))

    @property
    def address(self) -> str:
        """Of the person's machine."""
        return self.request.client.host if self.request.client else ""

    def in_language(self, language: str) -> str:
        """This page's own address in another language."""
        others = [
            (name, value) for name, value in self.request.query_params.multi_items() if name not in ("lang", "done")
        ]
        return f"{quote(self.request.url.path)}?{urlencode([*others, ('lang', language)])}"


def say(language: TextLanguage, key: str, /, **values: Any) -> str:
    """A text in a language; keys without an area are of `dashboard`."""
    return text(key if "." in key else f"dashboard.{key}", language, **values)


def visitor(request: Request) -> Visit:
    """Whoever asks, logged in or not."""
    site: Site = request.app.state.site
    person: Person | None = Person(site.owner, "admin") if site.owner else None
    if person is None:
        person = accounts.person_of(site.b, request.cookies.get(session_cookie(site), ""), site.clock())
    return Visit(site, request, choose_language(request), person)


def session_cookie(site: Site) -> str:
    """Over HTTPS a name that browsers take from this host alone: no neighbour can plant one (RFC 6265bis)."""
    return f"__Host-{SESSION_COOKIE}" if site.https else SESSION_COOKIE


AnyVisit = Annotated[Visit, Depends(visitor)]


def _needs(role: Role, visit: Visit) -> Visit:
    if visit.person is None:
        raise LoginNeeded
    if not visit.person.may(role):
        raise Problem(403, "problem_role")
    return visit


def contributing(visit: AnyVisit) -> Visit:
    """Who may add and look."""
    return _needs("contributor", visit)


def administering(visit: AnyVisit) -> Visit:
    """Who may see settings and users."""
    return _needs("admin", visit)


def reviewing(visit: AnyVisit) -> Visit:
    """Who may decide."""
    return _needs("reviewer", visit)


Contributor = Annotated[Visit, Depends(contributing)]
Reviewer = Annotated[Visit, Depends(reviewing)]
Admin = Annotated[Visit, Depends(administering)]


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form. Raises Problem for any other body, and for one that is too long."""
    refuse_long(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Problem(415, "problem_no_form")
    body = await read_body(request)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise Problem(422, "problem_no_form") from None
    request.state.form = dict(pairs)  # should the request fail, it comes back
    return dict(pairs)


Form = Annotated[dict[str, str], Depends(read_form)]


def choose_language(request: Request) -> TextLanguage:
    """`?lang`, else the remembered choice, else what the browser asks for; English when none of them knows."""
    said = (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE))
    chosen = next((one for wanted in said for one in TEXT_LANGUAGES if one == wanted), None)
    return chosen or accepted_language(request.headers.get("accept-language", ""))


def accepted_language(header: str) -> TextLanguage:
    """The best of ours by an `Accept-Language` header (RFC 9110, 12.5.4)."""
    weighed: list[tuple[float, TextLanguage]] = []
    for part in header.split(",")[:20]:
        name, _, rest = part.partition(";")
        found = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", rest) if rest else None
        weight = float(found[1]) if found else 0.0 if rest else 1.0
        for language in TEXT_LANGUAGES:
            if name.strip().lower().partition("-")[0] == language and weight > 0:
                weighed.append((weight, language))
    return max(weighed, key=lambda one: one[0])[1] if weighed else "en"


def own_path(path: str) -> str:
    """A path of ours to go on to after a login, else the first page."""
    return path if OWN_PATH.fullmatch(path) else "/"


def problem_of(error: BonsaiError) -> int:
    """The status that says what kind of error it is."""
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
