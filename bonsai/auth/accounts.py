"""Who may log in, with which rights; what `bonsai users` and the login page call.

Passwords are hashed with argon2id in OWASP's smaller setting, 19 MiB, for the dashboard itself has 250
(https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html). A session's token is random, new at
every login, and the server keeps its hash alone.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bonsai.context import Bonsai
from bonsai.domain.characters import normalise
from bonsai.errors import UsageError
from storage.tables import tokens_table, users_table
from storage.tables.users_table import ROLES, Role, User

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1_000
"Characters; more would only be work for the hash."
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Person:
    """Who sits before the page."""

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether they have at least that role."""
        return ROLES.index(self.role) >= ROLES.index(role)


class LoginRefused(UsageError):
    """Name and password do not belong together; which of them is wrong is not said."""


def add_user(b: Bonsai, name: str, role: Role, password: str, now: datetime) -> str:
    """The name as it is kept. Raises UsageError for a name that is taken or unusable, and for a weak password."""
    kept = usable_name(name)
    hashed = hash_password(password)
    with b.database.writing() as con:
        if not users_table.add(con, kept, role, hashed, now):
            raise UsageError("dashboard.user_exists", name=kept)
    return kept


def remove_user(b: Bonsai, name: str) -> None:
    """They are logged out at once, and no token speaks for them any more. Raises UnknownId."""
    with b.database.writing() as con:
        users_table.remove(con, normalise(name))
        tokens_table.remove_all_of(con, normalise(name))


def change_password(b: Bonsai, name: str, password: str, now: datetime) -> None:
    """Another password; all sessions of theirs end. Raises UnknownId, UsageError."""
    hashed = hash_password(password)
    with b.database.writing() as con:
        users_table.set_password(con, normalise(name), hashed, now)


def change_role(b: Bonsai, name: str, role: Role, now: datetime) -> None:
    """At once: where they are logged in, and for their tokens, which may no more than they. Raises UnknownId."""
    with b.database.writing() as con:
        users_table.set_role(con, normalise(name), role, now)


def list_users(b: Bonsai) -> list[User]:
    """All, by name."""
    with b.database.reading() as con:
        return users_table.list_users(con)


def log_in(b: Bonsai, name: str, password: str, *, old_token: str, now: datetime, hours: float) -> str:
    """A new session's token; the one that the browser brought along ends. Raises LoginRefused."""
    with b.database.reading() as con:
        found = users_table.find(con, normalise(name))
    if not verified(found.password_hash if found else _nobodys_hash(), password) or found is None:
        raise LoginRefused("dashboard.login_refused")
    token = secrets.token_urlsafe(32)
    with b.database.writing() as con:
        users_table.close_session(con, _token_hash(old_token))
        if not users_table.open_session(con, _token_hash(token), found, now, now + timedelta(hours=hours)):
            raise LoginRefused("dashboard.login_refused")
    return token


def log_out(b: Bonsai, token: str) -> None:
    """Safe to repeat."""
    with b.database.writing() as con:
        users_table.close_session(con, _token_hash(token))


def person_of(b: Bonsai, token: str, now: datetime) -> Person | None:
    """Whose session the token is; None for one that is over or never was."""
    if not token:
        return None
    with b.database.reading() as con:
        user = users_table.session_user(con, _token_hash(token), now)
    return Person(user.name, user.role) if user else None


def usable_name(name: str) -> str:
    """Normalised. Raises UsageError for an empty or long one, and for one with control characters."""
    kept = normalise(name)
    if not 0 < len(kept) <= LONGEST_NAME or any(unicodedata.category(one).startswith("C") for one in kept):
        raise UsageError("dashboard.bad_user_name", name=name[:LONGEST_NAME], longest=LONGEST_NAME)
    return kept


def hash_password(password: str) -> str:
    """Salted. Raises UsageError for one that is too short or too long."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise UsageError("dashboard.bad_password", shortest=SHORTEST_PASSWORD, longest=LONGEST_PASSWORD)
    return _hasher().hash(password)


def verified(hashed: str, password: str) -> bool:
    """Whether this is the password. It takes as long for a wrong one."""
    try:
        return _hasher().verify(hashed, password[:LONGEST_PASSWORD])
    except (VerificationError, InvalidHashError):
        return False


def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@cache
def _nobodys_hash() -> str:
    """Verified for an unknown name, so that the time of an answer does not tell which names there are."""
    return _hasher().hash(secrets.token_urlsafe(16))


def warm_up() -> None:
    """Make that hash before the first login, whose time would else tell that its name is unknown."""
    _nobodys_hash()


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
