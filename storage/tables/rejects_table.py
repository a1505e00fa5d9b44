"""The table `rejects`: what could not become a record, whole, so that a person can mend and resubmit it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from bonsai.domain.characters import normalise
from bonsai.domain.records import DEFAULTS, Defaults, Reject, TableForm
from bonsai.errors import UnknownId
from bonsai.ingest.dedup.keys import text_key
from storage.connect import Connection
from storage.scale import counters
from storage.scale.counters import REJECTS, counting
from storage.sql import Row, batch, changed, from_utc, rows, to_json, to_utc

State = Literal["open", "mended", "dismissed", "forgotten"]
Settled = Literal["mended", "dismissed"]
ORDER = "created_at, file, line, id"
COMPARED_CHARACTERS = 200
"Of a question or an answer, when it is looked for in the raw text of a reject."
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\[nrtbf/\"\\]")
"""As JSON writes characters; the raw text of a reject may be a line of it."""


@dataclass(frozen=True, slots=True)
class StoredReject:
    """A reject with its place in the database."""

    id: str
    reject: Reject
    batch: str
    state: State
    created_at: datetime
    updated_at: datetime
    settled_by: str = ""
    "Who mended or dismissed it."
    settled_why: str = ""
    told_as: Defaults | None = None
    "What its whole file was said to be; None: kept by an older Bonsai."


def reject_id(reject: Reject) -> str:
    """Hex SHA-256 of where it stood, what it said and why it was refused: the same reject again is one."""
    told = to_json([reject.file, reject.line, reject.raw, reject.reason_key, dict(reject.values)])
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def insert_rejects(
    con: Connection, rejects: Iterable[Reject], batch_id: str, at: datetime, told_as: Defaults = DEFAULTS
) -> int:
    """Keep rejects; how many were not known yet. Safe to repeat."""
    found = {reject_id(reject): reject for reject in rejects}
    if not found:
        return 0
    columns: dict[str, list[object]] = {
        "id": [*found],
        "file": [one.file for one in found.values()],
        "line": [one.line for one in found.values()],
        "raw": [_storable(one.raw) for one in found.values()],
        "reason_key": [one.reason_key for one in found.values()],
        "reason_values": [_storable(to_json(dict(one.values))) for one in found.values()],
        "read_as": [_storable(to_json(asdict(one.table) if one.table else {})) for one in found.values()],
    }
    insert = """
        INSERT OR IGNORE INTO rejects BY NAME
        SELECT *, $batch AS batch, $told_as AS told_as, 'open' AS state, $at AS created_at, $at AS updated_at FROM batch
    """
    with counting(con, REJECTS, found), batch(con, columns):
        return changed(con, insert, {"batch": batch_id, "told_as": to_json(asdict(told_as)), "at": to_utc(at)})


def list_rejects(con: Connection, state: State | None = "open", limit: int | None = None) -> list[StoredReject]:
    """Rejects by file and line; all states for None."""
    where = "" if state is None else "WHERE state = $state"
    page = "" if limit is None else f"LIMIT {int(limit)}"
    query = f"FROM rejects {where} ORDER BY {ORDER} {page}"
    return [_stored(row) for row in rows(con, query, {"state": state} if state else {})]


def page(con: Connection, limit: int, after: str = "") -> list[StoredReject]:
    """Open rejects in the order of `list_rejects`; for the next page pass the last one's id as `after`.

    One that was settled meanwhile still marks the place.
    """
    beyond = f"AND ({ORDER}) > (SELECT ({ORDER}) FROM rejects WHERE id = $after)" if after else ""
    query = f"FROM rejects WHERE state = 'open' {beyond} ORDER BY {ORDER} LIMIT {int(limit)}"
    return [_stored(row) for row in rows(con, query, {"after": after} if after else {})]


def get(con: Connection, reject_prefix: str) -> StoredReject:
    """One reject by its id or a beginning of it that is its alone. Raises UnknownId."""
    found = rows(con, "FROM rejects WHERE starts_with(id, ?) LIMIT 2", [reject_prefix]) if reject_prefix else []
    if len(found) != 1:
        raise UnknownId("storage.unknown_reject", id=reject_prefix)
    return _stored(found[0])


def settle(con: Connection, reject: str, state: Settled, who: str, why: str, at: datetime) -> bool:
    """Close a reject; whether it was open."""
    update = """
        UPDATE rejects SET state = $state, settled_by = $who, settled_why = $why, updated_at = $at
        WHERE state = 'open' AND id = $id
    """
    with counting(con, REJECTS, [reject]):
        return changed(con, update, {"state": state, "who": who, "why": why, "at": to_utc(at), "id": reject}) == 1


def forget(con: Connection, told: Iterable[tuple[str, str]], at: datetime) -> int:
    """Empty the rejects that hold a question together with its answer, whatever else they hold; how many.

    `told`: normalised (instruction, output) of records that are to be forgotten.
    """
    pairs = list(told)
    found = rows(con, "SELECT id, raw FROM rejects WHERE raw <> ''")
    doomed = [row["id"] for row in found if tells(row["raw"], pairs)]
    with counting(con, REJECTS, doomed), batch(con, {"id": doomed}):
        update = "UPDATE rejects SET raw = '', state = 'forgotten', updated_at = ? WHERE id IN (FROM batch)"
        return changed(con, update, [to_utc(at)]) if doomed else 0


def tells(raw: str, told: Iterable[tuple[str, str]]) -> bool:
    """Whether a raw text holds the (instruction, output) of a record, however it writes them."""
    wanted = [(_compared(instruction), _compared(output)) for instruction, output in told if output]
    key = text_key(normalise(_ESCAPE.sub(_unescaped, raw))) if wanted else ""
    return any(asked in key and answered in key for asked, answered in wanted)


def _compared(text: str) -> str:
    return text_key(text[:COMPARED_CHARACTERS])


def _unescaped(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16)) if escape[1] else " "


def count_open(con: Connection) -> int:
    """How many wait for a person."""
    return counters.rejects(con, "open")


def _storable(text: str) -> str:
    """DuckDB stores valid UTF-8 only; a broken character becomes its escape."""
    return text.encode("utf-8", "backslashreplace").decode()


def _stored(row: Row) -> StoredReject:
    told = tuple((name, str(value)) for name, value in sorted(json.loads(row["reason_values"]).items()))
    form = json.loads(row["read_as"] or "{}")
    defaults = json.loads(row["told_as"] or "{}")
    table = TableForm(tuple(form["columns"]), form["delimiter"]) if form else None
    return StoredReject(
        row["id"],
        Reject(row["file"], row["line"], row["raw"], row["reason_key"], told, table),
        row["batch"],
        row["state"],
        from_utc(row["created_at"]),
        from_utc(row["updated_at"]),
        row["settled_by"],
        row["settled_why"],
        Defaults(**defaults) if defaults else None,
    )
