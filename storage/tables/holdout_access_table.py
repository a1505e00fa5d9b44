"""The tables `confirmation_openings` and `pool_rotations`: holdout accesses and redraws of the split.

Each access to the confirmation pool wears it out a little, so accesses are counted; after enough of them selection and
confirmation pools are redrawn (`bonsai.evaluate.questions`) and the count starts again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.connect import Connection
from storage.sql import from_utc, rows, to_utc, values


@dataclass(frozen=True, slots=True)
class Rotation:
    """One redraw of the split."""

    number: int
    night: str
    "The night with the last access to the split before."
    accesses: int
    "Number of accesses to the split before."
    rotated_at: datetime


def record_access(con: Connection, pool: str, night: str, at: datetime, *, dealing: int = 0) -> int:
    """Record a night's access to the pool, once a night; returns the accesses to this split so far."""
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
    """Number of accesses to the pool in this split."""
    query = "SELECT count(*) FROM confirmation_openings WHERE pool = ? AND rotation = ?"
    return int(values(con, query, [pool, dealing])[0])


def rotation(con: Connection) -> int:
    """Number of the current split; 0 is the bundled one."""
    return int(values(con, "SELECT coalesce(max(number), 0) FROM pool_rotations")[0])


def rotate_when_due(con: Connection, pool: str, night: str, limit: int, at: datetime) -> bool:
    """Redraw the split after `limit` accesses; returns whether it was due. Safe to repeat."""
    present = rotation(con)
    opened = accesses(con, pool, present)
    if opened < limit:
        return False
    con.execute("INSERT INTO pool_rotations VALUES (?, ?, ?, ?)", [present + 1, night, opened, to_utc(at)])
    return True


def rotations(con: Connection) -> list[Rotation]:
    """All redraws, oldest first."""
    found = rows(con, "SELECT number, night, openings AS accesses, rotated_at FROM pool_rotations ORDER BY number")
    return [Rotation(**row | {"rotated_at": from_utc(row["rotated_at"])}) for row in found]
