"""API tokens and their scopes.

A token is `bonsai_ID_SECRET`. Possession is enough, so it is shown once, stored as SHA-256 only, expires, and has a
prefix that secret scanners recognise
(https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/). Scopes are
independent: a phone that appends need not read. A token never allows more than its user's role.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bonsai.auth.accounts import normalise_name
from bonsai.context import Bonsai
from bonsai.errors import LockTimeout, UsageError
from storage.tables import tokens_table, users_table
from storage.tables.tokens_table import SCOPES, Scope, Token
from storage.tables.users_table import ROLES, Role

PREFIX = "bonsai"
MAX_DAYS = 3_650
MAX_NOTE_CHARACTERS = 200
USE_PRECISION = timedelta(hours=1)
"Precision of the last use; each update is a write."
LOCK_WAIT_SECONDS = 0.05
REQUIRED_ROLES: dict[Scope, Role] = {
    "read": "contributor",
    "append": "contributor",
    "review": "reviewer",
    "admin": "admin",
}
"Role that a user needs for each scope."


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated API client."""

    token: str
    "Id of its token."
    name: str
    scopes: frozenset[Scope]

    def may(self, scope: Scope) -> bool:
        """`review` includes `read`, `admin` everything."""
        sufficient = {scope, "admin"} | ({"review"} if scope == "read" else set())
        return not sufficient.isdisjoint(self.scopes)


def add_token(b: Bonsai, name: str, scopes: Sequence[Scope], *, days: int, note: str, now: datetime) -> str:
    """Returns a new token, to be shown once.

    Raises UsageError for an invalid name or a scope beyond the user's role.
    """
    kept = normalise_name(name)
    if not 0 < days <= MAX_DAYS:
        raise UsageError("api.bad_days", days=days, longest=MAX_DAYS)
    if len(note) > MAX_NOTE_CHARACTERS:
        raise UsageError("api.bad_note", longest=MAX_NOTE_CHARACTERS)
    identity, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    shown = f"{PREFIX}_{identity}_{secret}"
    ordered = tuple(one for one in SCOPES if one in scopes)
    made = Token(identity, kept, ordered, note, now, now + timedelta(days=days), None, None)
    with b.database.writing() as con:
        user = users_table.find(con, kept)
        for scope in ordered:
            if user and not _allows(user.role, scope):
                raise UsageError(
                    "api.role_forbids", name=kept, role=user.role, scope=scope, needed=REQUIRED_ROLES[scope]
                )
        tokens_table.add(con, made, token_hash(shown))
    return shown


def list_tokens(b: Bonsai) -> list[Token]:
    """All, expired ones included, oldest first."""
    with b.database.reading() as con:
        return tokens_table.list_tokens(con)


def revoke_token(b: Bonsai, shown: str) -> str:
    """Revoke by id or by the token itself; returns the id. Takes effect at once. Raises UnknownId."""
    identity = token_id(shown)
    with b.database.writing() as con:
        tokens_table.remove(con, identity)
    return identity


def authenticate(b: Bonsai, shown: str, now: datetime) -> Caller | None:
    """The client behind a token; None if expired or unknown."""
    if not shown.startswith(f"{PREFIX}_"):
        return None
    with b.database.reading() as con:
        token = tokens_table.find(con, token_hash(shown), now)
    if token is None:
        return None
    if token.used_at is None or now - token.used_at >= USE_PRECISION:
        _record_use(b, token.id, now)
    allowed = (one for one in token.scopes if token.role is None or _allows(token.role, one))
    return Caller(token.id, token.name, frozenset(allowed))


def token_id(shown: str) -> str:
    """The id in a token, or the id itself: never the secret, which must not appear in messages."""
    parts = shown.strip().split("_", 2)
    return parts[1] if len(parts) == 3 else shown.strip()


def token_hash(shown: str) -> str:
    """Hex SHA-256, the stored form."""
    return hashlib.sha256(shown.encode("utf-8", "replace")).hexdigest()


def _record_use(b: Bonsai, token_id: str, now: datetime) -> None:
    hasty = replace(b.database, lock_wait_seconds=LOCK_WAIT_SECONDS)
    with suppress(LockTimeout), hasty.writing() as con:  # the database is busy: the next request records it
        tokens_table.mark_used(con, token_id, now)


def _allows(role: Role, scope: Scope) -> bool:
    return ROLES.index(role) >= ROLES.index(REQUIRED_ROLES[scope])
