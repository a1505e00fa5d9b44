"""The tables `confirmation_openings` and `pool_rotations`.

Every look into the confirmation pool uses it up a little, so each is counted; after enough of them selection and
confirmation are dealt anew (`bonsai.evaluate.pools`), and the count begins again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.connect import Connection
from storage.sql import from_utc, rows, to_utc, values


@dataclass(frozen=True, slots=True)
class Rotation:
    """One dealing of the pools after the one that ships."""

    number: int
    night: str
    "Whose opening was the last of the dealing before."
    accesses: int
    "Of the dealing before."
    rotated_at: datetime


def record_access(con: Connection, pool: str, night: str, at: datetime, *, dealing: int = 0) -> int:
    """Write down that a night looked into the pool; how often its dealing was opened by now. A night counts once."""
    con.execute(
        """
        INSERT INTO confirmation_openings
        SELECT (SELECT count(*) + 1 FROM confirmation_openings WHERE pool = $pool), $pool, $night, $at, $dealing
        WHERE NOT EXISTS (FROM confirmation_openings WHERE pool = $pool AND night = $night)
        """,
        {"pool": pool, "night": night, "at": to_utc(at), "dealing": dealing},
    )
    return accesses(con, pool, dealing)


def accesses(con: Connection, pool: str, dealing: int = 0) -> int:
    """How often the pool was opened in this dealing."""
    query = "SELECT count(*) FROM confirmation_openings WHERE pool = ? AND rotation = ?"
    return int(values(con, query, [pool, dealing])[0])


def rotation(con: Connection) -> int:
    """The dealing that the next night asks; 0 is the one that ships."""
    return int(values(con, "SELECT coalesce(max(number), 0) FROM pool_rotations")[0])


def rotate_when_due(con: Connection, pool: str, night: str, limit: int, at: datetime) -> bool:
    """Deal anew when the present dealing was opened `limit` times; whether it was so. Safe to repeat."""
    present = rotation(con)
    opened = accesses(con, pool, present)
    if opened < limit:
        return False
    con.execute("INSERT INTO pool_rotations VALUES (?, ?, ?, ?)", [present + 1, night, opened, to_utc(at)])
    return True


def rotations(con: Connection) -> list[Rotation]:
    """Every dealing but the first, oldest first."""
    found = rows(con, "FROM pool_rotations ORDER BY number")
    return [Rotation(**row | {"rotated_at": from_utc(row["rotated_at"])}) for row in found]
