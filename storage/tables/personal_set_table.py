"""The tables `suite_items` and `suite_changes`: the personal evaluation set and its history.

An item is a paraphrase among the owner's records, or a question that the owner wrote (its id begins with
`personal_set.WRITTEN`). The records of an active item are held out of training (`records_table.eligible`). Every
change is logged with the version that it made, the hash of all active items.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bonsai.system.files import sha256_json
from storage.connect import Connection
from storage.sql import Row, batch, changed, from_utc, from_utc_or_none, rows, to_json, to_utc, values
from storage.tables import adapters_table

Action = Literal["frozen", "added", "retired", "forgotten"]
NIGHT = "night"
"Author of the changes that a night makes."
NOT_ACTIVE = "not_active"
"The reason of a retirement that can be undone: the record was held back, excluded, replaced or suspect."


@dataclass(frozen=True, slots=True)
class PersonalItem:
    """One frozen item."""

    id: str
    cluster: str
    "One fact in all its paraphrases and both languages."
    item: Mapping[str, object]
    "The fields of `bonsai.evaluate.questions.Item`; empty when forgotten."
    record_ids: tuple[str, ...]
    "Its records, held out of training."
    frozen_at: datetime
    retired_at: datetime | None = None
    retired_because: str = ""


@dataclass(frozen=True, slots=True)
class PersonalSetChange:
    """One entry of the set's history."""

    number: int
    action: Action
    item_id: str
    who: str
    reason: str
    version: str
    "The set's version after it."
    changed_at: datetime


def freeze(con: Connection, items: Iterable[PersonalItem]) -> int:
    """Add items; returns how many were new. A known item stays as it was frozen. Safe to repeat.

    An item that was retired with its record becomes active again with it.
    """
    given = {one.id: one for one in items}
    with batch(con, {"id": list(given)}):
        query = "SELECT id FROM suite_items SEMI JOIN batch USING (id) WHERE retired_because <> ?"
        known = set(values(con, query, [NOT_ACTIVE]))
    new = [one for name, one in given.items() if name not in known]
    for one in new:
        _insert(con, one)
    if new:
        _log(con, "frozen", [one.id for one in new], NIGHT, "", new[0].frozen_at)
    return len(new)


def add(con: Connection, items: Iterable[PersonalItem], who: str) -> int:
    """Add questions that a person wrote; a retired one becomes active again. Returns how many. Safe to repeat."""
    active = {one.id: one for one in active_items(con)}
    new = [one for one in items if one.id not in active or differs(one, active[one.id])]
    for one in new:
        _insert(con, one)
    if new:
        _log(con, "added", [one.id for one in new], who, "", new[0].frozen_at)
    return len(new)


def differs(new: PersonalItem, old: PersonalItem) -> bool:
    """Whether the same question has another answer, category or fact."""
    return (dict(new.item), new.record_ids) != (dict(old.item), old.record_ids)


def _insert(con: Connection, one: PersonalItem) -> None:
    con.execute(
        "INSERT OR REPLACE INTO suite_items VALUES (?, ?, ?, ?, ?, NULL, '')",
        [one.id, one.cluster, to_json(dict(one.item)), list(one.record_ids), to_utc(one.frozen_at)],
    )


def active_items(con: Connection) -> list[PersonalItem]:
    """Active items in a fixed order."""
    return [_item(row) for row in rows(con, "FROM suite_items WHERE retired_at IS NULL ORDER BY id")]


def frozen_after(con: Connection, moment: datetime | None) -> list[PersonalItem]:
    """Active items frozen after `moment`; all for None."""
    return [one for one in active_items(con) if moment is None or one.frozen_at > moment]


def all_items(con: Connection) -> list[PersonalItem]:
    """All items, retired ones included, oldest first."""
    return [_item(row) for row in rows(con, "FROM suite_items ORDER BY frozen_at, id")]


def version(con: Connection) -> str:
    """SHA-256 over the active items: the same content has the same version. Empty without items."""
    return version_of(active_items(con))


def version_of(items: Sequence[PersonalItem]) -> str:
    """The version of a list of active items."""
    return sha256_json([[one.id, one.cluster, dict(one.item)] for one in items]) if items else ""


def changes(con: Connection) -> list[PersonalSetChange]:
    """The set's history, oldest first."""
    found = rows(con, "FROM suite_changes ORDER BY number")
    return [PersonalSetChange(**row | {"changed_at": from_utc(row["changed_at"])}) for row in found]


def is_altered(con: Connection) -> bool:
    """Whether the items differ from the last logged version, as after a change by hand."""
    last = values(con, "SELECT version FROM suite_changes ORDER BY number DESC LIMIT 1")
    return bool(last) and last[0] != version(con)


def held_out(con: Connection) -> frozenset[str]:
    """Ids of the records that active items hold out of training."""
    query = "SELECT DISTINCT unnest(record_ids) FROM suite_items WHERE retired_at IS NULL"
    return frozenset(values(con, query))


def trained_items(con: Connection, adapter_ids: Iterable[str]) -> frozenset[str]:
    """Items whose records one of the adapters learned before they were frozen: left out of a comparison."""
    learned = adapters_table.records_of(con, adapter_ids)
    return frozenset(one.id for one in active_items(con) if learned.intersection(one.record_ids))


def retire(con: Connection, item_ids: Iterable[str], because: str, at: datetime, who: str = NIGHT) -> int:
    """Retire items; their records may train again. Returns how many. Safe to repeat."""
    return _retire(con, item_ids, "retired", because, at, who)


def _retire(con: Connection, item_ids: Iterable[str], action: Action, because: str, at: datetime, who: str) -> int:
    requested = set(item_ids)
    active = [one.id for one in active_items(con) if one.id in requested]
    if not active:
        return 0
    with batch(con, {"id": active}):
        count = changed(
            con,
            "UPDATE suite_items SET retired_at = ?, retired_because = ? WHERE id IN (SELECT id FROM batch)",
            [to_utc(at), because],
        )
    _log(con, action, active, who, because, at)
    return count


def forget(con: Connection, record_ids: Iterable[str], at: datetime) -> tuple[str, ...]:
    """Retire and empty the items made of forgotten records; returns their ids."""
    query = "SELECT id FROM suite_items WHERE list_has_any(record_ids, ?) AND item <> '{}' ORDER BY id"
    ids = tuple(values(con, query, [sorted(record_ids)]))
    _retire(con, ids, "forgotten", "forgotten", at, NIGHT)
    con.execute("UPDATE suite_items SET item = '{}' WHERE id IN (SELECT unnest(?))", [list(ids)])
    return ids


def _log(con: Connection, action: Action, item_ids: Sequence[str], who: str, reason: str, at: datetime) -> None:
    first = int(values(con, "SELECT coalesce(max(number), 0) + 1 FROM suite_changes")[0])
    made = version(con)
    for number, item_id in enumerate(item_ids, first):
        con.execute(
            "INSERT INTO suite_changes VALUES (?, ?, ?, ?, ?, ?, ?)",
            [number, action, item_id, who, reason, made, to_utc(at)],
        )


def _item(row: Row) -> PersonalItem:
    return PersonalItem(
        **row
        | {
            "item": json.loads(row["item"]),
            "record_ids": tuple(row["record_ids"]),
            "frozen_at": from_utc(row["frozen_at"]),
            "retired_at": from_utc_or_none(row["retired_at"]),
        }
    )


def retire_fixed_items(con: Connection, item_id: str, record_id: str, at: datetime) -> None:
    """Retire an item from this home's gate because of a record. Safe to repeat."""
    con.execute(
        """
        INSERT INTO retired_items SELECT $item, $record, $at
        WHERE NOT EXISTS (FROM retired_items WHERE item_id = $item AND record_id = $record)
        """,
        {"item": item_id, "record": record_id, "at": to_utc(at)},
    )


def retired_fixed_items(con: Connection) -> frozenset[str]:
    """Ids of the retired items."""
    return frozenset(values(con, "SELECT item_id FROM retired_items"))
