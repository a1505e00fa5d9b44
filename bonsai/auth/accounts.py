"""User accounts and sessions, for `bonsai users` and the login page.

Passwords are hashed with argon2id in OWASP's smaller setting, 19 MiB, because the dashboard itself has 250
(https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html). Session tokens are random, new at
every login, and stored as hashes only.
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

MIN_PASSWORD_CHARACTERS = 12
MAX_PASSWORD_CHARACTERS = 1_000
"Characters; a longer one would only cost hashing time."
MAX_NAME_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Person:
    """A logged-in user."""

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether the user has at least this role."""
        return ROLES.index(self.role) >= ROLES.index(role)


class LoginRefused(UsageError):
    """Wrong name or password; the message does not say which."""


def add_user(b: Bonsai, name: str, role: Role, password: str, now: datetime) -> str:
    """Returns the normalised name. Raises UsageError for a taken or invalid name or a weak password."""
    kept = normalise_name(name)
    hashed = hash_password(password)
    with b.database.writing() as con:
        if not users_table.add(con, kept, role, hashed, now):
            raise UsageError("dashboard.user_exists", name=kept)
    return kept


def remove_user(b: Bonsai, name: str) -> None:
    """Ends the user's sessions and tokens at once. Raises UnknownId."""
    with b.database.writing() as con:
        users_table.remove(con, normalise(name))
        tokens_table.remove_all_of(con, normalise(name))


def change_password(b: Bonsai, name: str, password: str, now: datetime) -> None:
    """Ends all of the user's sessions. Raises UnknownId, UsageError."""
    hashed = hash_password(password)
    with b.database.writing() as con:
        users_table.set_password(con, normalise(name), hashed, now)


def change_role(b: Bonsai, name: str, role: Role, now: datetime) -> None:
    """Takes effect at once, for sessions and tokens too. Raises UnknownId."""
    with b.database.writing() as con:
        users_table.set_role(con, normalise(name), role, now)


def list_users(b: Bonsai) -> list[User]:
    """All users, by name."""
    with b.database.reading() as con:
        return users_table.list_users(con)


def log_in(b: Bonsai, name: str, password: str, *, old_token: str, now: datetime, hours: float) -> str:
    """Returns a new session token; the browser's previous session ends. Raises LoginRefused."""
    with b.database.reading() as con:
        found = users_table.find(con, normalise(name))
    if not verify_password(found.password_hash if found else _dummy_hash(), password) or found is None:
        raise LoginRefused("dashboard.login_refused")
    token = secrets.token_urlsafe(32)
    with b.database.writing() as con:
        users_table.close_session(con, _token_hash(old_token))
        if not users_table.open_session(con, _token_hash(token), found, now, now + timedelta(hours=hours)):
            raise LoginRefused("dashboard.login_refused")
    return token


def log_out(b: Bonsai, token: str) -> None:
    """End a session. Idempotent."""
    with b.database.writing() as con:
        users_table.close_session(con, _token_hash(token))


def find_session_user(b: Bonsai, token: str, now: datetime) -> Person | None:
    """The user of a session token; None if expired or unknown."""
    if not token:
        return None
    with b.database.reading() as con:
        user = users_table.session_user(con, _token_hash(token), now)
    return Person(user.name, user.role) if user else None


def normalise_name(name: str) -> str:
    """Normalise a name. Raises UsageError if it is empty, too long, or has control characters."""
    kept = normalise(name)
    if not 0 < len(kept) <= MAX_NAME_CHARACTERS or any(unicodedata.category(one).startswith("C") for one in kept):
        raise UsageError("dashboard.bad_user_name", name=name[:MAX_NAME_CHARACTERS], longest=MAX_NAME_CHARACTERS)
    return kept


def hash_password(password: str) -> str:
    """Salted hash. Raises UsageError for a password that is too short or too long."""
    if not MIN_PASSWORD_CHARACTERS <= len(password) <= MAX_PASSWORD_CHARACTERS:
        raise UsageError("dashboard.bad_password", shortest=MIN_PASSWORD_CHARACTERS, longest=MAX_PASSWORD_CHARACTERS)
    return _hasher().hash(password)


def verify_password(hashed: str, password: str) -> bool:
    """Whether the password matches; takes as long for a wrong one."""
    try:
        return _hasher().verify(hashed, password[:MAX_PASSWORD_CHARACTERS])
    except (VerificationError, InvalidHashError):
        return False


def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@cache
def _dummy_hash() -> str:
    """Verified for unknown names, so that response times do not reveal which names exist."""
    return _hasher().hash(secrets.token_urlsafe(16))


def warm_up() -> None:
    """Compute the dummy hash before the first login, whose time would otherwise reveal an unknown name."""
    _dummy_hash()


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
