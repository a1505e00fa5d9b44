"""Subjects of records and their timelines.

The records of one subject are scattered, and DuckDB reads each text with the 256 KB around it: a page reads few columns
of few records, and the past is read in parts, between which the database is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bonsai.errors import UnknownId
from storage.connect import Connection
from storage.sql import rows
from storage.tables.records_table import DAY

CURRENT = "subject <> '' AND status <> 'forgotten' AND replaced_by = ''"
PART_RECORDS = 65_536
"Sequence numbers in one part of the past; reading it takes about 5 ms."


@dataclass(frozen=True, slots=True)
class Subject:
    """One subject with its number of records."""

    name: str
    records: int
    first: date
    "Day of its first event."
    last: date


@dataclass(frozen=True, slots=True)
class SubjectEvent:
    """A record as a timeline shows it."""

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
    "False: the date of the event is unknown; `day` is when it was added."


@dataclass(frozen=True, slots=True)
class EarlierEvent:
    """A record as a timeline compares it."""

    id: str
    day: date
    instruction: str
    output: str


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a subject's past."""

    number: int
    "Ascending in order of arrival."
    records: int


def subjects(con: Connection, limit: int, fewer_than: int = 0, after: str = "") -> list[Subject]:
    """One page, most records first; the cursor is the last one's `records` and `name`."""
    beyond = "HAVING records < $fewer OR records = $fewer AND name > $after" if after else ""
    query = f"""
        SELECT subject AS name, count(*) AS records, min({DAY}) AS first, max({DAY}) AS last
        FROM records WHERE {CURRENT} GROUP BY subject {beyond} ORDER BY records DESC, name LIMIT {int(limit)}
    """
    given = {"fewer": fewer_than, "after": after} if after else {}
    return [Subject(**row) for row in rows(con, query, given)]


def events(con: Connection, subject: str, limit: int, after: str = "") -> list[SubjectEvent]:
    """One page of a subject's events, latest first; the cursor `after` is the last id. Raises UnknownId."""
    given: dict[str, object] = {"subject": subject}
    beyond = ""
    if after:
        places = rows(con, f"SELECT {DAY} AS day, sequence FROM records WHERE id = ?", [after])
        if not places:
            raise UnknownId("storage.unknown_record", id=after[:12])
        given |= places[0]
        beyond = f"AND ({DAY} < $day OR {DAY} = $day AND sequence < $sequence)"
    latest = f"ORDER BY {DAY} DESC, sequence DESC"
    query = f"SELECT sequence FROM records WHERE {CURRENT} AND subject = $subject {beyond} {latest} LIMIT {int(limit)}"
    found = [row["sequence"] for row in rows(con, query, given)]
    whole = f"""
        SELECT id, instruction, input, output, language, category, reasoning, status, feeling,
            {DAY} AS day, happened_on IS NOT NULL AS dated
        FROM records WHERE sequence IN (SELECT unnest(?)) {latest}
    """
    return [SubjectEvent(**row) for row in rows(con, whole, [found])]


def past_parts(con: Connection, subject: str, until: date) -> list[Part]:
    """The parts that contain a subject's events up to a day, newest part first."""
    query = f"""
        SELECT sequence // {PART_RECORDS} AS number, count(*) AS records FROM records
        WHERE {CURRENT} AND subject = ? AND {DAY} <= ? GROUP BY ALL ORDER BY number DESC
    """
    return [Part(int(row["number"]), int(row["records"])) for row in rows(con, query, [subject, until])]


def events_in(con: Connection, part: int, subject: str, until: date) -> list[EarlierEvent]:
    """A subject's events in one part, latest first."""
    query = f"""
        SELECT id, {DAY} AS day, instruction, output FROM records
        WHERE sequence BETWEEN ? AND ? AND {CURRENT} AND subject = ? AND {DAY} <= ? ORDER BY day DESC, sequence DESC
    """
    return [
        EarlierEvent(**row)
        for row in rows(con, query, [part * PART_RECORDS, (part + 1) * PART_RECORDS - 1, subject, until])
    ]
