"""The table `review_verdicts`: preferences given in blind reviews."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from bonsai.evaluate.blind_review import Preferred
from storage.connect import Connection
from storage.sql import changed, from_utc, rows, to_utc, values


@dataclass(frozen=True, slots=True)
class Verdict:
    """One person's preference on one question."""

    adapter: str
    "The challenger."
    person: str
    item: str
    number: int
    "1, 2, 3 ... in the person's order."
    preferred: Preferred
    asked: int
    "Number of questions in the person's round."
    given_at: datetime


def add(con: Connection, verdict: Verdict) -> bool:
    """Insert a verdict; False when the person already gave one, which stays. Safe to repeat."""
    query = "INSERT OR IGNORE INTO review_verdicts VALUES (?, ?, ?, ?, ?, ?, ?)"
    named = [verdict.adapter, verdict.person, verdict.item, verdict.number, verdict.preferred, verdict.asked]
    return changed(con, query, [*named, to_utc(verdict.given_at)]) == 1


def of_promotion(con: Connection, adapter: str, person: str | None = None) -> list[Verdict]:
    """Verdicts on a challenger, of all or one person, in the order given."""
    query = """
        FROM review_verdicts WHERE adapter = $adapter AND ($person IS NULL OR person = $person) ORDER BY number, person
    """
    return [
        Verdict(**row | {"preferred": cast(Preferred, row["preferred"]), "given_at": from_utc(row["given_at"])})
        for row in rows(con, query, {"adapter": adapter, "person": person})
    ]


def take_back(con: Connection, adapter: str, person: str) -> str:
    """Remove the person's newest verdict; returns its item's id, or an empty string."""
    query = "SELECT item FROM review_verdicts WHERE adapter = ? AND person = ? ORDER BY number DESC LIMIT 1"
    found = values(con, query, [adapter, person])
    if not found:
        return ""
    item = str(found[0])
    con.execute("DELETE FROM review_verdicts WHERE adapter = ? AND person = ? AND item = ?", [adapter, person, item])
    return item
