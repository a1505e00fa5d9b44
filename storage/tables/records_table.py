"""The table `records`: insert, look up, page, count, and select what may train.

Pages use keyset pagination: a page begins after the cursor, the last record of the page before, whatever was inserted
meanwhile (Winand, https://use-the-index-luke.com/no-offset).
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, get_args

from bonsai.domain.reasons import Reason
from bonsai.domain.record_fields import TEXTS
from bonsai.domain.records import Status
from bonsai.errors import UnknownId
from storage.connect import Connection, Database
from storage.scale import counters, text_index
from storage.scale.counters import RECORDS, UNCERTAIN, counting
from storage.scale.pacing import Pace, write_in_batches
from storage.sql import among, batch, changed, full_id, rows, rows_of, to_utc, values
from storage.tables import personal_set_table, tombstones_table
from storage.tables.record_rows import NewRecord, StoredRecord, reason_columns, to_columns, to_stored

MAY_TRAIN = """
    status = 'active'
    AND id NOT IN (SELECT unnest(record_ids) FROM suite_items WHERE retired_at IS NULL)
"""
"Active, and not held out for the personal set."
LAST = 2**62
"A sequence number beyond the last."
DAY = "coalesce(happened_on, CAST(created_at AS DATE))"
"The date of the event; the day of arrival when it is unknown."


@dataclass(frozen=True, slots=True)
class InsertCounts:
    """The counts of a batch; the four add up to its size."""

    new: int = 0
    "Stored and active."
    held_back: int = 0
    "Stored, but not active."
    duplicate: int = 0
    "Stored before, or twice in the batch."
    forgotten: int = 0
    "Refused because of a tombstone."

    def __add__(self, other: InsertCounts) -> InsertCounts:
        return InsertCounts(
            self.new + other.new,
            self.held_back + other.held_back,
            self.duplicate + other.duplicate,
            self.forgotten + other.forgotten,
        )


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """A filter of records; empty fields do not filter."""

    status: str = ""
    language: str = ""
    category: str = ""
    subject: str = ""
    batch: str = ""
    text: str = ""
    "Part of the instruction, input or output; case and width are ignored."
    near: bool | None = None
    "True: only near duplicates."
    reason: str = ""
    "Key of the status's reason, e.g. `duplicates.contradiction`."
    uncertain: bool = False
    "True: only those with an automatic language or category of low confidence."
    source: str = ""
    author: str = ""
    since: date | None = None
    "First day of the event, or of arrival when that is unknown."
    until: date | None = None
    "The last day, included."
    current: bool = False
    "True: without replaced versions."
    snapshot: str = ""
    "Id of a snapshot: only its records."


def insert_records(con: Connection, new: Iterable[NewRecord], batch_id: str, at: datetime) -> InsertCounts:
    """Insert unknown records in the caller's transaction; ids with a tombstone are refused. Safe to repeat."""
    given = list(new)
    ids = [item.record.id for item in given]
    forgotten = tombstones_table.known(con, ids)
    known = existing_ids(con, ids) | forgotten
    fresh = {item.record.id: item for item in given if item.record.id not in known}
    if fresh:
        after = newest_sequence(con)
        columns = to_columns(fresh.values(), batch_id, to_utc(at))
        with batch(con, columns):
            con.execute(f"INSERT INTO records ({', '.join(columns)}) SELECT * FROM batch")
            counters.count_new(con, RECORDS, "batch")
        text_index.index_from(con, after + 1)
    for item in fresh.values():
        if item.retires_item:
            personal_set_table.retire_fixed_items(con, item.retires_item, item.record.id, at)
        if item.overrules:
            reason = Reason("duplicates.overruled", (("id", item.record.id[:12]), ("ids", item.record.id)))
            set_status(con, item.overrules, Status.HELD_BACK, reason, at, only=(Status.ACTIVE,))
    refused = sum(identity in forgotten for identity in ids)
    active = sum(item.status is Status.ACTIVE for item in fresh.values())
    return InsertCounts(active, len(fresh) - active, len(ids) - len(fresh) - refused, refused)


def insert_paced(
    database: Database, new: Sequence[NewRecord], batch_id: str, at: datetime, pace: Pace | None = None
) -> InsertCounts:
    """`insert_records` in short transactions, with others in between."""
    stored = write_in_batches(
        database, new, pace or Pace(), lambda con, piece: insert_records(con, piece, batch_id, at)
    )
    return sum(stored, InsertCounts())


def existing_ids(con: Connection, ids: Iterable[str]) -> frozenset[str]:
    """The stored ones among `ids`, in any status."""
    chosen = among(ids)
    return frozenset(values(con, f"SELECT id FROM records WHERE {chosen.sql}", chosen.values))


def resolve(con: Connection, prefix: str) -> str:
    """The full id of a record, by an unambiguous prefix. Raises UnknownId, UsageError."""
    return full_id(con, "records", prefix, unknown="storage.unknown_record")


def get(con: Connection, record_id: str) -> StoredRecord:
    """One record by id or unambiguous prefix. Raises UnknownId."""
    return to_stored(rows(con, "SELECT * FROM records WHERE id = ?", [resolve(con, record_id)])[0])


def get_many(con: Connection, ids: Iterable[str]) -> list[StoredRecord]:
    """The stored ones among `ids`, in order of arrival."""
    chosen = rows_of("records", ids)  # `by_sequence` says why
    return [to_stored(row) for row in rows(con, f"FROM records WHERE {chosen.sql} ORDER BY sequence", chosen.values)]


def list_records(
    con: Connection, record_filter: RecordFilter | None = None, limit: int | None = None, after: str = ""
) -> list[StoredRecord]:
    """Records in order of arrival, after the cursor `after`."""
    where, parameters = filter_conditions(record_filter or RecordFilter())
    if after:
        where.append("sequence > (SELECT sequence FROM records WHERE id = $after)")
        parameters["after"] = after
    clause = f"WHERE {' AND '.join(where)}" if where else ""
    page = "" if limit is None else f"LIMIT {int(limit)}"
    return [to_stored(row) for row in rows(con, f"FROM records {clause} ORDER BY sequence {page}", parameters)]


def newest(con: Connection, record_filter: RecordFilter, count: int) -> list[StoredRecord]:
    """The last `count` records to arrive, in order of arrival."""
    return page(con, record_filter, count)[::-1]


def page(con: Connection, record_filter: RecordFilter, limit: int, before: str = "") -> list[StoredRecord]:
    """One page, newest first; the cursor `before` is the last id of the page before."""
    where, parameters = filter_conditions(record_filter)
    if before:
        where.append("sequence < (SELECT sequence FROM records WHERE id = $before)")
        parameters["before"] = before
    clause = f"WHERE {' AND '.join(where)}" if where else ""
    query = f"FROM records {clause} ORDER BY sequence DESC LIMIT {int(limit)}"
    return [to_stored(row) for row in rows(con, query, parameters)]


def count(con: Connection, record_filter: RecordFilter) -> int:
    """Number of matching records."""
    where, parameters = filter_conditions(record_filter)
    clause = f"WHERE {' AND '.join(where)}" if where else ""
    return int(values(con, f"SELECT count(*) FROM records {clause}", parameters)[0])


def filter_conditions(record_filter: RecordFilter) -> tuple[list[str], dict[str, object]]:
    """The filter's conditions and their named parameters."""
    names = ("status", "language", "category", "subject", "batch", "source", "author")
    parameters: dict[str, object] = {
        name: getattr(record_filter, name) for name in names if getattr(record_filter, name)
    }
    where = [f"{name} = ${name}" for name in parameters]
    if record_filter.text:
        text = unicodedata.normalize("NFKC", record_filter.text)
        caseless = text.lower() == text.upper()  # lower() takes three times as long as the search
        matches = " OR ".join(f"contains({name if caseless else f'lower({name})'}, $text)" for name in TEXTS)
        where.append(f"({matches})")
        parameters["text"] = text.lower()
    if record_filter.near is not None:
        where.append("near_of <> ''" if record_filter.near else "near_of = ''")
    if record_filter.reason:
        where.append("reason_key = $reason")
        parameters["reason"] = record_filter.reason
    if record_filter.uncertain:
        where.append(f"({UNCERTAIN})")
    if record_filter.current:
        where.append("replaced_by = ''")
    for name, compared in (("since", ">="), ("until", "<=")):
        if (day := getattr(record_filter, name)) is not None:
            where.append(f"{DAY} {compared} ${name}")
            parameters[name] = day
    if record_filter.snapshot:
        where.append("sequence IN (SELECT sequence FROM snapshot_records WHERE snapshot_id = $snapshot)")
        parameters["snapshot"] = record_filter.snapshot
    return where, parameters


def same_question(con: Connection, question_key: str, record_id: str, limit: int) -> list[StoredRecord]:
    """The newest current records with this question key, and the record of this id: possible duplicates of a new one.

    One scan of the key column, then a few rows by id: 0.1 s for a million records, half the time of a single query.
    """
    same = values(con, "SELECT id FROM records WHERE question_key = ? LIMIT 1000", [question_key])
    query = "FROM records WHERE id IN (SELECT unnest(?)) ORDER BY sequence DESC"
    found = [to_stored(row) for row in rows(con, query, [[record_id, *same]])]
    current = [one for one in found if not one.replaced_by and one.status is not Status.FORGOTTEN]
    return [one for one in found if one.record.id == record_id] + current[:limit]


def newest_sequence(con: Connection) -> int:
    """Sequence number of the newest record; -1 without records."""
    return int(values(con, "SELECT coalesce(max(sequence), -1) FROM records")[0])


def eligible(con: Connection, first: int = 0, last: int = LAST) -> list[StoredRecord]:
    """Records that may train: active, and not held out for the personal set. Sequence numbers `first` to `last`."""
    query = f"FROM records WHERE sequence BETWEEN ? AND ? AND {MAY_TRAIN} ORDER BY sequence"
    return [to_stored(row) for row in rows(con, query, [first, last])]


def new_since(con: Connection, snapshot_id: str) -> list[str]:
    """Eligible ids that the snapshot neither holds nor passed over; all eligible ids without a snapshot."""
    query = f"""
        SELECT id FROM records
        WHERE {MAY_TRAIN}
            AND id NOT IN (SELECT record_id FROM snapshot_records WHERE snapshot_id = $snapshot)
            AND id NOT IN (SELECT record_id FROM passed_over WHERE snapshot_id = $snapshot)
        ORDER BY sequence
    """
    return [str(row[0]) for row in con.execute(query, {"snapshot": snapshot_id}).fetchall()]


def data_lines(con: Connection, first: int = 0, last: int = LAST) -> list[str]:
    """One line of id and tags for each eligible record; the id, a hash, represents the texts."""
    query = f"""
        SELECT id, language, category, reasoning FROM records
        WHERE sequence BETWEEN ? AND ? AND {MAY_TRAIN} ORDER BY sequence
    """
    return ["\t".join(row) for row in con.execute(query, [first, last]).fetchall()]


def data_hash(lines: Iterable[str]) -> str:
    """Hex SHA-256 over `data_lines`; with the date it makes a night's key."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()


def newest_categorised(con: Connection, most: int) -> list[StoredRecord]:
    """The newest eligible records with a category given by a person or a file, in order of arrival."""
    query = f"""
        FROM records WHERE category_source IN ('import', 'person') AND category <> 'uncategorised' AND {MAY_TRAIN}
        ORDER BY sequence DESC LIMIT {int(most)}
    """
    return [to_stored(row) for row in rows(con, query)][::-1]


def set_status(
    con: Connection, ids: Iterable[str], status: Status, reason: Reason | None, at: datetime, only: Sequence[Status]
) -> int:
    """Set the status of those `ids` whose present status is in `only`; returns how many."""
    columns: Mapping[str, object] = reason_columns(reason)
    named = list(ids)
    chosen = rows_of("records", named)
    with counting(con, RECORDS, named):
        return changed(
            con,
            f"""
            UPDATE records SET status = $status, reason_key = $key, reason_values = $values, updated_at = $at
            WHERE {chosen.sql} AND status IN (SELECT unnest($only))
            """,
            {
                "status": status.value,
                "key": columns["reason_key"],
                "values": columns["reason_values"],
                "at": to_utc(at),
                "only": [one.value for one in only],
                **chosen.values,
            },
        )


Sort = Literal["newest", "oldest", "happened", "subject"]
SORTS: tuple[Sort, ...] = get_args(Sort)


@dataclass(frozen=True, slots=True)
class _Order:
    """An order by a key, then by arrival."""

    key: str
    "An SQL expression; empty: by arrival only."
    descending: bool
    newest_first: bool = True

    @property
    def sql(self) -> str:
        """The ORDER BY clause."""
        arrival = f"sequence {'DESC' if self.newest_first else 'ASC'}"
        return f"{self.key} {'DESC' if self.descending else 'ASC'}, {arrival}" if self.key else arrival

    @property
    def beyond(self) -> str:
        """The condition of the rows after the cursor `$key`, `$sequence`."""
        later = f"sequence {'<' if self.newest_first else '>'} $sequence"
        if not self.key:
            return later
        return f"({self.key} {'<' if self.descending else '>'} $key OR {self.key} = $key AND {later})"


_ORDERS: dict[Sort, _Order] = {
    "newest": _Order("", descending=True),
    "oldest": _Order("", descending=False, newest_first=False),
    "happened": _Order(DAY, descending=True),
    "subject": _Order("CASE WHEN subject = '' THEN chr(1114111) ELSE subject END", descending=False),
}
"""Records without a subject come last: chr(1114111) sorts after every other character."""


def sorted_page(
    con: Connection, record_filter: RecordFilter, limit: int, sort: Sort, after: str = ""
) -> list[StoredRecord]:
    """One page in an order; the cursor `after` is the last id of the page before. Raises UnknownId."""
    order = _ORDERS[sort]
    where, parameters = filter_conditions(record_filter)
    if after:
        where.append(order.beyond)
        parameters |= _place(con, order, after)
    clause = f"WHERE {' AND '.join(where)}" if where else ""
    chosen = f"SELECT rowid FROM records {clause} ORDER BY {order.sql} LIMIT {int(limit)}"
    query = f"FROM records WHERE rowid IN ({chosen}) ORDER BY {order.sql}"  # reads only these rows whole
    return [to_stored(row) for row in rows(con, query, parameters)]


def by_sequence(con: Connection, places: Sequence[int]) -> dict[int, StoredRecord]:
    """A few records by `sequence`, in the given order.

    Scans a column of numbers. Through the index of ids DuckDB holds a block of 256 KB for each text until it has all:
    50 scattered records did not fit into the dashboard's memory.
    """
    query = "FROM records WHERE sequence IN (SELECT unnest(?))"
    found = {int(row["sequence"]): to_stored(row) for row in rows(con, query, [list(places)])}
    return {place: found[place] for place in places if place in found}


def _place(con: Connection, order: _Order, record_id: str) -> dict[str, object]:
    key = f"{order.key} AS key, " if order.key else ""
    found = rows(con, f"SELECT {key}sequence FROM records WHERE id = ?", [record_id])
    if not found:
        raise UnknownId("storage.unknown_record", id=record_id[:12])
    return found[0]


@dataclass(frozen=True, slots=True)
class IndexRow:
    """A stored record as the duplicate index needs it."""

    id: str
    question_key: str
    instruction: str
    input: str
    output: str
    language: str
    category: str
    fact: str
    status: Status


def index_rows(con: Connection, first: int = 0, last: int = LAST) -> list[IndexRow]:
    """Current records for the duplicate index, sequence numbers `first` to `last`."""
    query = """
        SELECT id, question_key, instruction, input, output, language, category, fact, status FROM records
        WHERE sequence BETWEEN ? AND ? AND status <> 'forgotten' AND replaced_by = '' ORDER BY sequence
    """
    found = rows(con, query, [first, last])
    return [IndexRow(**row | {"status": Status(row["status"])}) for row in found]


def ids_without_texts(con: Connection) -> list[str]:
    """Known ids that `index_rows` leaves out: forgotten records and earlier versions."""
    query = "SELECT id FROM records WHERE status = 'forgotten' OR replaced_by <> '' UNION SELECT id FROM tombstones"
    return [str(found) for found in values(con, query)]
