"""Whom records are about: how many there are of each, from when to when, and what a timeline compares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from storage.connect import Connection
from storage.records_table import DAY
from storage.sql import rows

TOLD = "subject <> '' AND status <> 'forgotten' AND replaced_by = ''"


@dataclass(frozen=True, slots=True)
class Subject:
    """One of them."""

    name: str
    records: int
    first: date
    "Day of the first thing that is told of it."
    last: date


@dataclass(frozen=True, slots=True)
class Told:
    """What a timeline compares of one record."""

    id: str
    day: date
    instruction: str
    output: str


def subjects(con: Connection, limit: int, fewer_than: int = 0, after: str = "") -> list[Subject]:
    """The most told of first; for the next page pass the last one's `records` and `name`."""
    beyond = "HAVING records < $fewer OR records = $fewer AND name > $after" if after else ""
    query = f"""
        SELECT subject AS name, count(*) AS records, min({DAY}) AS first, max({DAY}) AS last
        FROM records WHERE {TOLD} GROUP BY subject {beyond} ORDER BY records DESC, name LIMIT {int(limit)}
    """
    given = {"fewer": fewer_than, "after": after} if after else {}
    return [Subject(**row) for row in rows(con, query, given)]


def told_before(con: Connection, subject: str, day: date, limit: int) -> list[Told]:
    """What is told of a subject up to a day, the latest first."""
    latest = f"ORDER BY {DAY} DESC, sequence DESC"
    chosen = f"WHERE {TOLD} AND subject = $subject AND {DAY} <= $day {latest} LIMIT {int(limit)}"
    query = f"""
        SELECT id, {DAY} AS day, instruction, output FROM records
        WHERE rowid IN (SELECT rowid FROM records {chosen}) {latest}
    """
    return [Told(**row) for row in rows(con, query, {"subject": subject, "day": day})]
