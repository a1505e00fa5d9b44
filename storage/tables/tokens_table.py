"""The table `tokens`: API tokens, their scopes, and their last use.

Only a token's SHA-256 is stored; with 256 random bits it cannot be inverted by guessing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from bonsai.errors import UnknownId
from storage.connect import Connection
from storage.sql import Row, changed, from_utc, from_utc_or_none, rows, to_utc
from storage.tables.users_table import Role

Scope = Literal["read", "append", "review", "admin"]
SCOPES: tuple[Scope, ...] = ("read", "append", "review", "admin")

LISTED = "SELECT tokens.*, users.role FROM tokens LEFT JOIN users USING (name)"


@dataclass(frozen=True, slots=True)
class Token:
    """A token's row, without the token."""

    id: str
    "The token's prefix, by which a person recognises it."
    name: str
    "The user that it acts for."
    scopes: tuple[Scope, ...]
    note: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    "To the hour; None before the first use."
    role: Role | None
    "The user's role, which limits the token; None when there is no such user."


def add(con: Connection, token: Token, token_hash: str) -> None:
    """Insert a token."""
    values = [token.id, token_hash, token.name, ",".join(token.scopes), token.note]
    insert = "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, NULL)"
    con.execute(insert, [*values, to_utc(token.created_at), to_utc(token.expires_at)])


def find(con: Connection, token_hash: str, at: datetime) -> Token | None:
    """The token with this hash, unless it has expired."""
    found = rows(con, f"{LISTED} WHERE token_hash = ? AND expires_at > ?", [token_hash, to_utc(at)])
    return _token(found[0]) if found else None


def list_tokens(con: Connection) -> list[Token]:
    """All tokens, expired ones included, oldest first."""
    return [_token(row) for row in rows(con, f"{LISTED} ORDER BY created_at, id")]


def mark_used(con: Connection, token_id: str, at: datetime) -> None:
    """Set the time of the last use."""
    con.execute("UPDATE tokens SET used_at = ? WHERE id = ?", [to_utc(at), token_id])


def remove(con: Connection, token_id: str) -> None:
    """Delete a token and its stored responses. Raises UnknownId."""
    if not changed(con, "DELETE FROM tokens WHERE id = ?", [token_id]):
        raise UnknownId("api.unknown_token", id=token_id)
    con.execute("DELETE FROM kept_answers WHERE token_id = ?", [token_id])


def remove_all_of(con: Connection, name: str) -> None:
    """Delete all tokens of a user. Safe to repeat."""
    con.execute("DELETE FROM kept_answers WHERE token_id IN (SELECT id FROM tokens WHERE name = ?)", [name])
    con.execute("DELETE FROM tokens WHERE name = ?", [name])


def _token(row: Row) -> Token:
    return Token(
        row["id"],
        row["name"],
        cast(tuple[Scope, ...], tuple(row["scopes"].split(","))),
        row["note"],
        from_utc(row["created_at"]),
        from_utc(row["expires_at"]),
        from_utc_or_none(row["used_at"]),
        row["role"],
    )
