"""The tables `suite_items` and `suite_changes`: the owner's suite and how it came to be what it is.

An item is a wording of the owner's own records, or a question that the owner wrote for the benchmark (its id begins
with `personal_set.WRITTEN`). The records whose wording it is never train while it judges (`records_table.eligible`
leaves them out). Every change is written down with the version, the hash of all active items, that came of it.
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
"Who froze a wording."
NOT_ACTIVE = "not_active"
"Why an item was retired that may come back: its record was held back, excluded, replaced or suspect."


@dataclass(frozen=True, slots=True)
class PersonalItem:
    """One frozen question."""

    id: str
    cluster: str
    "All wordings and both languages of one fact."
    item: Mapping[str, object]
    "The fields of `bonsai.evaluate.questions.Item`; empty after a forgetting."
    record_ids: tuple[str, ...]
    "The records whose wording this is: held out of training."
    frozen_at: datetime
    retired_at: datetime | None = None
    retired_because: str = ""


@dataclass(frozen=True, slots=True)
class PersonalSetChange:
    """One line of the suite's history."""

    number: int
    action: Action
    item_id: str
    who: str
    reason: str
    version: str
    "The suite's version after it."
    changed_at: datetime


def freeze(con: Connection, items: Iterable[PersonalItem]) -> int:
    """Add wordings; how many were new. An item that is there already stays as it was frozen: safe to repeat.

    Only one that was retired with its record judges again when that record does stand again.
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
    """Add questions that a person wrote; one that is retired judges again. How many were added. Safe to repeat."""
    active = {one.id: one for one in active_items(con)}
    new = [one for one in items if one.id not in active or replaced(one, active[one.id])]
    for one in new:
        _insert(con, one)
    if new:
        _log(con, "added", [one.id for one in new], who, "", new[0].frozen_at)
    return len(new)


def replaced(new: PersonalItem, old: PersonalItem) -> bool:
    """The same question is written with another answer, category or fact."""
    return (dict(new.item), new.record_ids) != (dict(old.item), old.record_ids)


def _insert(con: Connection, one: PersonalItem) -> None:
    con.execute(
        "INSERT OR REPLACE INTO suite_items VALUES (?, ?, ?, ?, ?, NULL, '')",
        [one.id, one.cluster, to_json(dict(one.item)), list(one.record_ids), to_utc(one.frozen_at)],
    )


def active_items(con: Connection) -> list[PersonalItem]:
    """The items that judge now, in a fixed order."""
    return [_item(row) for row in rows(con, "FROM suite_items WHERE retired_at IS NULL ORDER BY id")]


def frozen_after(con: Connection, moment: datetime | None) -> list[PersonalItem]:
    """Active items that came later than `moment`; all of them for None."""
    return [one for one in active_items(con) if moment is None or one.frozen_at > moment]


def all_items(con: Connection) -> list[PersonalItem]:
    """Retired ones too, oldest first."""
    return [_item(row) for row in rows(con, "FROM suite_items ORDER BY frozen_at, id")]


def version(con: Connection) -> str:
    """SHA-256 of what judges now; the same questions and answers give the same version. Empty without any."""
    return version_of(active_items(con))


def version_of(items: Sequence[PersonalItem]) -> str:
    """The version that these active items make."""
    return sha256_json([[one.id, one.cluster, dict(one.item)] for one in items]) if items else ""


def changes(con: Connection) -> list[PersonalSetChange]:
    """The suite's history, oldest first."""
    found = rows(con, "FROM suite_changes ORDER BY number")
    return [PersonalSetChange(**row | {"changed_at": from_utc(row["changed_at"])}) for row in found]


def is_altered(con: Connection) -> bool:
    """The items are not those that the last change left: somebody wrote into the table by hand."""
    last = values(con, "SELECT version FROM suite_changes ORDER BY number DESC LIMIT 1")
    return bool(last) and last[0] != version(con)


def held_out(con: Connection) -> frozenset[str]:
    """Ids of the records that do not train because their wording is an item."""
    query = "SELECT DISTINCT unnest(record_ids) FROM suite_items WHERE retired_at IS NULL"
    return frozenset(values(con, query))


def trained_items(con: Connection, adapter_ids: Iterable[str]) -> frozenset[str]:
    """Items whose own wording one of the adapters learned after all (frozen too late): left out of a comparison."""
    learned = adapters_table.records_of(con, adapter_ids)
    return frozenset(one.id for one in active_items(con) if learned.intersection(one.record_ids))


def retire(con: Connection, item_ids: Iterable[str], because: str, at: datetime, who: str = NIGHT) -> int:
    """Let items judge no more; their records may train again. How many were retired. Safe to repeat."""
    return _retire(con, item_ids, "retired", because, at, who)


def _retire(con: Connection, item_ids: Iterable[str], action: Action, because: str, at: datetime, who: str) -> int:
    wanted = set(item_ids)
    active = [one.id for one in active_items(con) if one.id in wanted]
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
    """Retire and empty the items made of forgotten records; their ids."""
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
