"""The table `retired_items`: benchmark items that this home's own records answer.

An owner may teach what an item asks; the item then no longer counts in this home's gate.
"""

from __future__ import annotations

from datetime import datetime

from storage.connect import Connection
from storage.sql import to_utc, values


def retire(con: Connection, item_id: str, record_id: str, at: datetime) -> None:
    """Retire an item from this home's gate because of a record. Safe to repeat."""
    con.execute(
        """
        INSERT INTO retired_items SELECT $item, $record, $at
        WHERE NOT EXISTS (FROM retired_items WHERE item_id = $item AND record_id = $record)
        """,
        {"item": item_id, "record": record_id, "at": to_utc(at)},
    )


def retired(con: Connection) -> frozenset[str]:
    """Ids of the retired items."""
    return frozenset(values(con, "SELECT item_id FROM retired_items"))
