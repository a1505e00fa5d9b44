"""The tables `users` and `sessions`: who may use the dashboard from another machine, and who is logged in.

Passwords are stored as argon2 hashes, session tokens as SHA-256.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from bonsai.errors import UnknownId
from storage.connect import Connection
from storage.sql import Row, changed, from_utc, rows, to_utc

Role = Literal["contributor", "reviewer", "admin"]
ROLES: tuple[Role, ...] = ("contributor", "reviewer", "admin")
"Each role includes those before it."


@dataclass(frozen=True, slots=True)
class User:
    """One user."""

    name: str
    role: Role
    password_hash: str
    created_at: datetime
    updated_at: datetime


def add(con: Connection, name: str, role: Role, password_hash: str, at: datetime) -> bool:
    """Insert a user; False when the name is taken."""
    insert = "INSERT OR IGNORE INTO users VALUES (?, ?, ?, ?, ?)"
    return bool(changed(con, insert, [name, role, password_hash, to_utc(at), to_utc(at)]))


def remove(con: Connection, name: str) -> None:
    """Delete a user and their sessions. Raises UnknownId."""
    get(con, name)
    con.execute("DELETE FROM sessions WHERE name = ?", [name])
    con.execute("DELETE FROM users WHERE name = ?", [name])


def set_password(con: Connection, name: str, password_hash: str, at: datetime) -> None:
    """Change the password and end the user's sessions. Raises UnknownId."""
    get(con, name)
    con.execute("DELETE FROM sessions WHERE name = ?", [name])
    con.execute("UPDATE users SET password_hash = ?, updated_at = ? WHERE name = ?", [password_hash, to_utc(at), name])


def set_role(con: Connection, name: str, role: Role, at: datetime) -> None:
    """Change the role, in effect at once. Raises UnknownId."""
    get(con, name)
    con.execute("UPDATE users SET role = ?, updated_at = ? WHERE name = ?", [role, to_utc(at), name])


def get(con: Connection, name: str) -> User:
    """One user. Raises UnknownId."""
    found = find(con, name)
    if found is None:
        raise UnknownId("dashboard.unknown_user", name=name)
    return found


def find(con: Connection, name: str) -> User | None:
    """One user; None for an unknown name."""
    found = rows(con, "FROM users WHERE name = ?", [name])
    return _user(found[0]) if found else None


def list_users(con: Connection) -> list[User]:
    """All users, by name."""
    return [_user(row) for row in rows(con, "FROM users ORDER BY name")]


def open_session(con: Connection, token_hash: str, user: User, at: datetime, until: datetime) -> bool:
    """Start a session, unless the user or password changed meanwhile. Deletes expired sessions."""
    if not rows(con, "FROM users WHERE name = ? AND password_hash = ?", [user.name, user.password_hash]):
        return False
    con.execute("DELETE FROM sessions WHERE expires_at <= ?", [to_utc(at)])
    con.execute("INSERT INTO sessions VALUES (?, ?, ?, ?)", [token_hash, user.name, to_utc(at), to_utc(until)])
    return True


def close_session(con: Connection, token_hash: str) -> None:
    """End a session. Safe to repeat."""
    con.execute("DELETE FROM sessions WHERE token_hash = ?", [token_hash])


def session_user(con: Connection, token_hash: str, at: datetime) -> User | None:
    """The user of a session, unless it has expired."""
    query = """
        SELECT users.* FROM users JOIN sessions USING (name) WHERE sessions.token_hash = ? AND sessions.expires_at > ?
    """
    found = rows(con, query, [token_hash, to_utc(at)])
    return _user(found[0]) if found else None


def _user(row: Row) -> User:
    return User(
        row["name"],
        cast(Role, row["role"]),
        row["password_hash"],
        from_utc(row["created_at"]),
        from_utc(row["updated_at"]),
    )
