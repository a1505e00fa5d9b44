"""Whom records are about: how many there are of each, from when to when, what happened, and what a timeline compares.

The records of one subject lie everywhere, and each text is read with the 256 KB around it: a page reads few columns of
few records, and the past is read in parts, between which the database is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bonsai.errors import UnknownId
from storage.connect import Connection
from storage.sql import rows
from storage.tables.records_table import DAY

TOLD = "subject <> '' AND status <> 'forgotten' AND replaced_by = ''"
PART = 65_536
"Records of all subjects, in order of arrival, of which one part of a past is read: some 5 ms."


@dataclass(frozen=True, slots=True)
class Subject:
    """One of them."""

    name: str
    records: int
    first: date
    "Day of the first thing that is told of it."
    last: date


@dataclass(frozen=True, slots=True)
class SubjectEvent:
    """What a timeline shows of one record."""

    id: str
    instruction: str
    input: str
    output: str
    language: str
    category: str
    reasoning: str
    status: str
    feeling: str
    day: date
    dated: bool
    "False: nobody said when it happened; `day` is when it was told."


@dataclass(frozen=True, slots=True)
class EarlierEvent:
    """What a timeline compares of one record."""

    id: str
    day: date
    instruction: str
    output: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a subject's past."""

    number: int
    "The later they were told, the higher."
    records: int


def subjects(con: Connection, limit: int, fewer_than: int = 0, after: str = "") -> list[Subject]:
    """The most told of first; for the next page pass the last one's `records` and `name`."""
    beyond = "HAVING records < $fewer OR records = $fewer AND name > $after" if after else ""
    query = f"""
        SELECT subject AS name, count(*) AS records, min({DAY}) AS first, max({DAY}) AS last
        FROM records WHERE {TOLD} GROUP BY subject {beyond} ORDER BY records DESC, name LIMIT {int(limit)}
    """
    given = {"fewer": fewer_than, "after": after} if after else {}
    return [Subject(**row) for row in rows(con, query, given)]


def events(con: Connection, subject: str, limit: int, after: str = "") -> list[SubjectEvent]:
    """What is told of a subject, the latest first; for the next page pass the last one's id as `after`.

    Raises UnknownId.
    """
    given: dict[str, object] = {"subject": subject}
    beyond = ""
    if after:
        places = rows(con, f"SELECT {DAY} AS day, sequence FROM records WHERE id = ?", [after])
        if not places:
            raise UnknownId("storage.unknown_record", id=after[:12])
        given |= places[0]
        beyond = f"AND ({DAY} < $day OR {DAY} = $day AND sequence < $sequence)"
    latest = f"ORDER BY {DAY} DESC, sequence DESC"
    query = f"SELECT sequence FROM records WHERE {TOLD} AND subject = $subject {beyond} {latest} LIMIT {int(limit)}"
    found = [row["sequence"] for row in rows(con, query, given)]
    whole = f"""
        SELECT id, instruction, input, output, language, category, reasoning, status, feeling,
            {DAY} AS day, happened_on IS NOT NULL AS dated
        FROM records WHERE sequence IN (SELECT unnest(?)) {latest}
    """
    return [SubjectEvent(**row) for row in rows(con, whole, [found])]


def past(con: Connection, subject: str, until: date) -> list[Part]:
    """In which parts stands what is told of a subject up to a day; those told last first."""
    query = f"""
        SELECT sequence // {PART} AS number, count(*) AS records FROM records
        WHERE {TOLD} AND subject = ? AND {DAY} <= ? GROUP BY ALL ORDER BY number DESC
    """
    return [Part(int(row["number"]), int(row["records"])) for row in rows(con, query, [subject, until])]


def events_in(con: Connection, part: int, subject: str, until: date) -> list[EarlierEvent]:
    """What is told in one part of a subject's past, the latest first."""
    query = f"""
        SELECT id, {DAY} AS day, instruction, output FROM records
        WHERE sequence BETWEEN ? AND ? AND {TOLD} AND subject = ? AND {DAY} <= ? ORDER BY day DESC, sequence DESC
    """
    return [EarlierEvent(**row) for row in rows(con, query, [part * PART, (part + 1) * PART - 1, subject, until])]
