"""Tokens of the API: who may make a program speak for them, and what it may do.

A token is `bonsai_ID_SECRET`. Whoever has it needs nothing else, so it is shown once, kept as its SHA-256 alone, ends
by itself, and its beginning is written as secret scanners look for it
(https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/). Scopes stand side
by side: a telephone that appends needs not read. A user may do no more by a token than by hand.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bonsai.auth.accounts import usable_name
from bonsai.context import Bonsai
from bonsai.errors import LockTimeout, UsageError
from storage.tables import tokens_table, users_table
from storage.tables.tokens_table import SCOPES, Scope, Token
from storage.tables.users_table import ROLES, Role

PREFIX = "bonsai"
LONGEST_DAYS = 3_650
LONGEST_NOTE = 200
NOTED_EVERY = timedelta(hours=1)
"How exactly the last use of a token is known: each note is a write."
NOTE_WAIT_SECONDS = 0.05
NEEDS: dict[Scope, Role] = {
    "read": "contributor",
    "append": "contributor",
    "review": "reviewer",
    "admin": "admin",
}
"The role that a user needs for what a scope allows."


@dataclass(frozen=True, slots=True)
class Caller:
    """The program that calls, and for whom."""

    token: str
    "Id of its token."
    name: str
    scopes: frozenset[Scope]

    def may(self, scope: Scope) -> bool:
        """`review` reads too, for nobody decides unseen; `admin` may everything."""
        wanted = {scope, "admin"} | ({"review"} if scope == "read" else set())
        return not wanted.isdisjoint(self.scopes)


def add_token(b: Bonsai, name: str, scopes: Sequence[Scope], *, days: int, note: str, now: datetime) -> str:
    """A new token, to be shown once. Raises UsageError for an unusable name, and for what the user's role forbids."""
    kept = usable_name(name)
    if not 0 < days <= LONGEST_DAYS:
        raise UsageError("api.bad_days", days=days, longest=LONGEST_DAYS)
    if len(note) > LONGEST_NOTE:
        raise UsageError("api.bad_note", longest=LONGEST_NOTE)
    identity, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    shown = f"{PREFIX}_{identity}_{secret}"
    ordered = tuple(one for one in SCOPES if one in scopes)
    made = Token(identity, kept, ordered, note, now, now + timedelta(days=days), None, None)
    with b.database.writing() as con:
        user = users_table.find(con, kept)
        for scope in ordered:
            if user and not _allows(user.role, scope):
                raise UsageError("api.role_forbids", name=kept, role=user.role, scope=scope, needed=NEEDS[scope])
        tokens_table.add(con, made, token_hash(shown))
    return shown


def list_tokens(b: Bonsai) -> list[Token]:
    """All, expired ones too, oldest first."""
    with b.database.reading() as con:
        return tokens_table.list_tokens(con)


def revoke_token(b: Bonsai, shown: str) -> str:
    """By its id, or by the token itself; the id. It is valid no more from now on. Raises UnknownId."""
    identity = id_of(shown)
    with b.database.writing() as con:
        tokens_table.remove(con, identity)
    return identity


def caller_of(b: Bonsai, shown: str, now: datetime) -> Caller | None:
    """Whom the token speaks for; None for one that is over or never was."""
    if not shown.startswith(f"{PREFIX}_"):
        return None
    with b.database.reading() as con:
        token = tokens_table.find(con, token_hash(shown), now)
    if token is None:
        return None
    if token.used_at is None or now - token.used_at >= NOTED_EVERY:
        _note_use(b, token.id, now)
    allowed = (one for one in token.scopes if token.role is None or _allows(token.role, one))
    return Caller(token.id, token.name, frozenset(allowed))


def id_of(shown: str) -> str:
    """The id in a token, or the id itself: never the secret, which stands in no message."""
    parts = shown.strip().split("_", 2)
    return parts[1] if len(parts) == 3 else shown.strip()


def token_hash(shown: str) -> str:
    """What is kept of it."""
    return hashlib.sha256(shown.encode("utf-8", "replace")).hexdigest()


def _note_use(b: Bonsai, token_id: str, now: datetime) -> None:
    hasty = replace(b.database, lock_wait_seconds=NOTE_WAIT_SECONDS)
    with suppress(LockTimeout), hasty.writing() as con:  # somebody writes just now: the next request notes it
        tokens_table.used(con, token_id, now)


def _allows(role: Role, scope: Scope) -> bool:
    return ROLES.index(role) >= ROLES.index(NEEDS[scope])
