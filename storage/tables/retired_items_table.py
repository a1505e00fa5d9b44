"""The table `retired_items`: questions of the fixed benchmark that this home's own records answer.

Whoever teaches Bonsai exactly what an item asks is right to do so; the item then no longer judges this home.
"""

from __future__ import annotations

from datetime import datetime

from storage.connect import Connection
from storage.sql import to_utc, values


def retire(con: Connection, item_id: str, record_id: str, at: datetime) -> None:
    """Take the item out of this home's gate because of the record. Safe to repeat."""
    con.execute(
        """
        INSERT INTO retired_items SELECT $item, $record, $at
        WHERE NOT EXISTS (FROM retired_items WHERE item_id = $item AND record_id = $record)
        """,
        {"item": item_id, "record": record_id, "at": to_utc(at)},
    )


def retired(con: Connection) -> frozenset[str]:
    """Ids of the items that do not judge this home."""
    return frozenset(values(con, "SELECT item_id FROM retired_items"))
