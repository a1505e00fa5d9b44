"""What the duplicates index needs of the stored records, some at a time."""

from __future__ import annotations

from dataclasses import dataclass

from bonsai.domain.records import Status
from storage.connect import Connection
from storage.sql import rows, values
from storage.tables.records_table import LAST


@dataclass(frozen=True, slots=True)
class IndexRow:
    """What the duplicates index needs to know of a stored record."""

    id: str
    question_key: str
    instruction: str
    input: str
    output: str
    language: str
    category: str
    fact: str
    status: Status


def read(con: Connection, first: int = 0, last: int = LAST) -> list[IndexRow]:
    """Records whose texts are still there, from one sequence number to another, for the duplicates index."""
    query = """
        SELECT id, question_key, instruction, input, output, language, category, fact, status FROM records
        WHERE sequence BETWEEN ? AND ? AND status <> 'forgotten' AND replaced_by = '' ORDER BY sequence
    """
    found = rows(con, query, [first, last])
    return [IndexRow(**row | {"status": Status(row["status"])}) for row in found]


def ids_without_texts(con: Connection) -> list[str]:
    """Ids that are taken though `read` leaves them out: forgotten records and earlier versions."""
    query = "SELECT id FROM records WHERE status = 'forgotten' OR replaced_by <> '' UNION SELECT id FROM tombstones"
    return [str(found) for found in values(con, query)]
