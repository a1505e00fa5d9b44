"""The table `confirmation_openings`: every look into the confirmation pool uses it up a little, so each is counted."""

from __future__ import annotations

from datetime import datetime

from storage.connect import Connection
from storage.sql import to_utc, values


def open_pool(con: Connection, pool: str, night: str, at: datetime) -> int:
    """Write down that a night looked into the pool; how often it was opened by now. A night counts once."""
    con.execute(
        """
        INSERT INTO confirmation_openings
        SELECT (SELECT count(*) + 1 FROM confirmation_openings WHERE pool = $pool), $pool, $night, $at
        WHERE NOT EXISTS (FROM confirmation_openings WHERE pool = $pool AND night = $night)
        """,
        {"pool": pool, "night": night, "at": to_utc(at)},
    )
    return openings(con, pool)


def openings(con: Connection, pool: str) -> int:
    """How often the pool was opened."""
    return int(values(con, "SELECT count(*) FROM confirmation_openings WHERE pool = ?", [pool])[0])
