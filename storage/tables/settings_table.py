"""The table `settings`: key-value state that a home keeps between nights."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from storage.connect import Connection
from storage.sql import to_json, to_utc, values

COLD_NIGHT_DUE = "cold_night_due"
"True after a record was forgotten: the next night trains from the bare base."

ERASURE_DUE = "erasure_due"
"Ids of forgotten records and items whose texts are still to be erased from the home's files."

TEXTS_UNSIGNED_TO = "texts_unsigned_to"
"The last record without a signature (`storage.scale.text_index`); -1 when all have one."


def put(con: Connection, name: str, value: object, at: datetime) -> None:
    """Store a JSON value."""
    con.execute("INSERT OR REPLACE INTO settings VALUES (?, ?, ?)", [name, to_json(value), to_utc(at)])


def get(con: Connection, name: str, otherwise: Any = None) -> Any:
    """The stored value, or `otherwise`."""
    found = values(con, "SELECT value FROM settings WHERE name = ?", [name])
    return json.loads(found[0]) if found else otherwise


def cold_night_due(con: Connection) -> bool:
    """Whether the next night trains from the bare base."""
    return bool(get(con, COLD_NIGHT_DUE, False))
