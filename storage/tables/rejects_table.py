"""The table `rejects`: lines that could not become a record, kept whole so that a person can repair them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from bonsai.domain.characters import normalise
from bonsai.domain.records import DEFAULTS, RAW_CHARACTERS, Defaults, Reject, TableForm
from bonsai.ingest.dedup.comparison import text_key
from storage.connect import Connection
from storage.scale import counters
from storage.scale.counters import REJECTS, counting
from storage.sql import Row, batch, changed, from_utc, full_id, rows, to_json, to_utc

State = Literal["open", "mended", "dismissed", "forgotten"]
Settled = Literal["mended", "dismissed"]
ORDER = "created_at, file, line, id"
COMPARED_CHARACTERS = 200
"How much of a question or answer is searched in a reject's raw text."
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\[nrtbf/\"\\]")
"""JSON escapes: a raw text may be a line of JSON."""


@dataclass(frozen=True, slots=True)
class StoredReject:
    """A reject in the database."""

    id: str
    reject: Reject
    batch: str
    state: State
    created_at: datetime
    updated_at: datetime
    settled_by: str = ""
    "Who repaired or dismissed it."
    settled_why: str = ""
    defaults: Defaults | None = None
    "The defaults of its file; None: stored by an older Bonsai."

    @property
    def is_cut(self) -> bool:
        """Whether only the beginning of the text was kept: it can be read, but not be repaired here."""
        return len(self.reject.raw) >= RAW_CHARACTERS


def reject_id(reject: Reject) -> str:
    """Hex SHA-256 of place, raw text and reason: the same reject again has the same id."""
    content = to_json([reject.file, reject.line, reject.raw, reject.reason_key, dict(reject.values)])
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def insert_rejects(
    con: Connection, rejects: Iterable[Reject], batch_id: str, at: datetime, defaults: Defaults = DEFAULTS
) -> int:
    """Insert rejects; returns how many were new. Safe to repeat."""
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
        return changed(con, insert, {"batch": batch_id, "told_as": to_json(asdict(defaults)), "at": to_utc(at)})


def list_rejects(con: Connection, state: State | None = "open", limit: int | None = None) -> list[StoredReject]:
    """Rejects in a state (None: in any), by file and line."""
    where = "" if state is None else "WHERE state = $state"
    page = "" if limit is None else f"LIMIT {int(limit)}"
    query = f"FROM rejects {where} ORDER BY {ORDER} {page}"
    return [_stored(row) for row in rows(con, query, {"state": state} if state else {})]


def page(con: Connection, limit: int, after: str = "") -> list[StoredReject]:
    """One page of open rejects; the cursor `after` is the last id of the page before, even if settled meanwhile."""
    beyond = f"AND ({ORDER}) > (SELECT ({ORDER}) FROM rejects WHERE id = $after)" if after else ""
    query = f"FROM rejects WHERE state = 'open' {beyond} ORDER BY {ORDER} LIMIT {int(limit)}"
    return [_stored(row) for row in rows(con, query, {"after": after} if after else {})]


def get(con: Connection, reject_prefix: str) -> StoredReject:
    """By id or an unambiguous prefix. Raises UnknownId, UsageError."""
    found = full_id(con, "rejects", reject_prefix, unknown="storage.unknown_reject")
    return _stored(rows(con, "FROM rejects WHERE id = ?", [found])[0])


def settle(con: Connection, reject: str, state: Settled, who: str, why: str, at: datetime) -> bool:
    """Settle a reject; returns whether it was open."""
    update = """
        UPDATE rejects SET state = $state, settled_by = $who, settled_why = $why, updated_at = $at
        WHERE state = 'open' AND id = $id
    """
    with counting(con, REJECTS, [reject]):
        return changed(con, update, {"state": state, "who": who, "why": why, "at": to_utc(at), "id": reject}) == 1


def forget(con: Connection, texts: Iterable[tuple[str, str]], at: datetime) -> int:
    """Empty the rejects that contain a question together with its answer; returns how many.

    `texts`: normalised (instruction, output) of the records to forget.
    """
    pairs = list(texts)
    found = rows(con, "SELECT id, raw FROM rejects WHERE raw <> ''")
    ids = [row["id"] for row in found if contains_any(row["raw"], pairs)]
    with counting(con, REJECTS, ids), batch(con, {"id": ids}):
        update = "UPDATE rejects SET raw = '', state = 'forgotten', updated_at = ? WHERE id IN (FROM batch)"
        return changed(con, update, [to_utc(at)]) if ids else 0


def contains_any(raw: str, texts: Iterable[tuple[str, str]]) -> bool:
    """Whether a raw text contains one of the (instruction, output) pairs, however it is written."""
    keys = [(_compared(instruction), _compared(output)) for instruction, output in texts if output]
    raw_key = text_key(normalise(_ESCAPE.sub(_unescaped, raw))) if keys else ""
    return any(question in raw_key and answer in raw_key for question, answer in keys)


def _compared(text: str) -> str:
    return text_key(text[:COMPARED_CHARACTERS])


def _unescaped(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16)) if escape[1] else " "


def count_open(con: Connection) -> int:
    """Number of open rejects."""
    return counters.rejects(con, "open")


def _storable(text: str) -> str:
    """DuckDB stores valid UTF-8 only; a lone surrogate becomes its escape."""
    return text.encode("utf-8", "backslashreplace").decode()


def _stored(row: Row) -> StoredReject:
    reason_values = tuple((name, str(value)) for name, value in sorted(json.loads(row["reason_values"]).items()))
    form = json.loads(row["read_as"] or "{}")
    defaults = json.loads(row["told_as"] or "{}")
    table = TableForm(tuple(form["columns"]), form["delimiter"]) if form else None
    return StoredReject(
        row["id"],
        Reject(row["file"], row["line"], row["raw"], row["reason_key"], reason_values, table),
        row["batch"],
        row["state"],
        from_utc(row["created_at"]),
        from_utc(row["updated_at"]),
        row["settled_by"],
        row["settled_why"],
        Defaults(**defaults) if defaults else None,
    )
