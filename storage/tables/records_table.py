"""The table `records`: put in, look up, list, count, and choose what may train."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bonsai.domain.reasons import Reason
from bonsai.domain.records import Status
from bonsai.errors import UnknownId
from storage.connect import Connection, Database
from storage.scale import counters, text_index
from storage.scale.counters import RECORDS, UNCERTAIN, counting
from storage.scale.pacing import Pace, paced
from storage.scale.text_index import TEXT_FIELDS
from storage.sql import among, batch, changed, rows, rows_of, to_utc, values
from storage.tables import retired_items_table, tombstones_table
from storage.tables.record_rows import NewRecord, StoredRecord, reason_columns, to_columns, to_stored

MAY_TRAIN = """
    status = 'active'
    AND id NOT IN (SELECT unnest(record_ids) FROM suite_items WHERE retired_at IS NULL)
"""
"Active, and not the held-out wording of an item of the owner's suite."
LAST = 2**62
"A sequence number beyond the last."
DAY = "coalesce(happened_on, CAST(created_at AS DATE))"
"When it happened; when it was told where nobody said."


@dataclass(frozen=True, slots=True)
class InsertCounts:
    """What became of a batch; the four add up to its size."""

    new: int = 0
    "Stored and active."
    held_back: int = 0
    "Stored, but not active."
    duplicate: int = 0
    "Already there, or twice in the batch."
    forgotten: int = 0
    "Refused: a person had it forgotten."

    def __add__(self, other: InsertCounts) -> InsertCounts:
        return InsertCounts(
            self.new + other.new,
            self.held_back + other.held_back,
            self.duplicate + other.duplicate,
            self.forgotten + other.forgotten,
        )


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which records to list; empty fields do not filter."""

    status: str = ""
    language: str = ""
    category: str = ""
    subject: str = ""
    batch: str = ""
    text: str = ""
    "Part of the instruction, input or output; case and width do not matter."
    near: bool | None = None
    "True: only those that nearly repeat another one."
    reason: str = ""
    "Key of the reason for its status, e.g. `duplicates.contradiction`."
    uncertain: bool = False
    "True: only those whose language or category Bonsai found but is not sure of."
    source: str = ""
    author: str = ""
    since: date | None = None
    "First day on which it happened, or was told where nobody said when it happened."
    until: date | None = None
    "Last such day."
    current: bool = False
    "True: without what an edit replaced."
    snapshot: str = ""
    "Id of a snapshot: only those that it holds."


def insert_records(con: Connection, new: Iterable[NewRecord], batch_id: str, at: datetime) -> InsertCounts:
    """Store what is not there yet, in the caller's transaction. Safe to repeat.

    Ids with a tombstone are refused. `insert_paced` cuts many into transactions.
    """
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
            retired_items_table.retire(con, item.retires_item, item.record.id, at)
        if item.overrules:
            reason = Reason("duplicates.overruled", (("id", item.record.id[:12]), ("ids", item.record.id)))
            set_status(con, item.overrules, Status.HELD_BACK, reason, at, only=(Status.ACTIVE,))
    refused = sum(identity in forgotten for identity in ids)
    active = sum(item.status is Status.ACTIVE for item in fresh.values())
    return InsertCounts(active, len(fresh) - active, len(ids) - len(fresh) - refused, refused)


def insert_paced(
    database: Database, new: Sequence[NewRecord], batch_id: str, at: datetime, pace: Pace | None = None
) -> InsertCounts:
    """`insert_records` in transactions that are short enough for others to get their turn between them."""
    stored = paced(database, new, pace or Pace(), lambda con, piece: insert_records(con, piece, batch_id, at))
    return sum(stored, InsertCounts())


def existing_ids(con: Connection, ids: Iterable[str]) -> frozenset[str]:
    """Those of `ids` that are stored, whatever their status."""
    chosen = among(ids)
    return frozenset(values(con, f"SELECT id FROM records WHERE {chosen.sql}", chosen.values))


def resolve(con: Connection, prefix: str) -> str:
    """The full id that begins with `prefix`. Raises UnknownId for none or several."""
    query = "SELECT id FROM records WHERE starts_with(id, ?) LIMIT 2"
    found = [*existing_ids(con, [prefix])] or (values(con, query, [prefix]) if prefix else [])
    if len(found) != 1:
        raise UnknownId("storage.unknown_record" if not found else "storage.ambiguous_record", id=prefix)
    return str(found[0])


def get(con: Connection, record_id: str) -> StoredRecord:
    """One record by its full id or a beginning of it. Raises UnknownId."""
    return to_stored(rows(con, "SELECT * FROM records WHERE id = ?", [resolve(con, record_id)])[0])


def get_many(con: Connection, ids: Iterable[str]) -> list[StoredRecord]:
    """The stored ones among `ids`, in order of arrival."""
    chosen = rows_of("records", ids)  # whole rows by their places: `records_pages.at_places` says why
    return [to_stored(row) for row in rows(con, f"FROM records WHERE {chosen.sql} ORDER BY sequence", chosen.values)]


def list_records(
    con: Connection, wanted: RecordFilter | None = None, limit: int | None = None, after: str = ""
) -> list[StoredRecord]:
    """Records in order of arrival; for the next page pass the last one's id as `after`."""
    where, parameters = conditions(wanted or RecordFilter())
    if after:
        where.append("sequence > (SELECT sequence FROM records WHERE id = $after)")
        parameters["after"] = after
    clause = f"WHERE {' AND '.join(where)}" if where else ""
    page = "" if limit is None else f"LIMIT {int(limit)}"
    return [to_stored(row) for row in rows(con, f"FROM records {clause} ORDER BY sequence {page}", parameters)]


def newest(con: Connection, wanted: RecordFilter, count: int) -> list[StoredRecord]:
    """The last `count` records to arrive, in order of arrival."""
    return page(con, wanted, count)[::-1]


def page(con: Connection, wanted: RecordFilter, limit: int, before: str = "") -> list[StoredRecord]:
    """Records, the newest first; for the next page pass the last one's id as `before`."""
    where, parameters = conditions(wanted)
    if before:
        where.append("sequence < (SELECT sequence FROM records WHERE id = $before)")
        parameters["before"] = before
    clause = f"WHERE {' AND '.join(where)}" if where else ""
    query = f"FROM records {clause} ORDER BY sequence DESC LIMIT {int(limit)}"
    return [to_stored(row) for row in rows(con, query, parameters)]


def count(con: Connection, wanted: RecordFilter) -> int:
    """How many records `list_records` would give."""
    where, parameters = conditions(wanted)
    clause = f"WHERE {' AND '.join(where)}" if where else ""
    return int(values(con, f"SELECT count(*) FROM records {clause}", parameters)[0])


def conditions(wanted: RecordFilter) -> tuple[list[str], dict[str, object]]:
    """Conditions and their named values."""
    names = ("status", "language", "category", "subject", "batch", "source", "author")
    parameters: dict[str, object] = {name: getattr(wanted, name) for name in names if getattr(wanted, name)}
    where = [f"{name} = ${name}" for name in parameters]
    if wanted.text:
        text = unicodedata.normalize("NFKC", wanted.text)
        caseless = text.lower() == text.upper()  # to lower all texts takes three times as long as to look through them
        told = " OR ".join(f"contains({name if caseless else f'lower({name})'}, $text)" for name in TEXT_FIELDS)
        where.append(f"({told})")
        parameters["text"] = text.lower()
    if wanted.near is not None:
        where.append("near_of <> ''" if wanted.near else "near_of = ''")
    if wanted.reason:
        where.append("reason_key = $reason")
        parameters["reason"] = wanted.reason
    if wanted.uncertain:
        where.append(f"({UNCERTAIN})")
    if wanted.current:
        where.append("replaced_by = ''")
    for name, compared in (("since", ">="), ("until", "<=")):
        if (day := getattr(wanted, name)) is not None:
            where.append(f"{DAY} {compared} ${name}")
            parameters[name] = day
    if wanted.snapshot:
        where.append("sequence IN (SELECT sequence FROM snapshot_records WHERE snapshot_id = $snapshot)")
        parameters["snapshot"] = wanted.snapshot
    return where, parameters


def asking(con: Connection, question_key: str, record_id: str, limit: int) -> list[StoredRecord]:
    """The newest records that ask this question, and the record of this id: what a new one may repeat or contradict.

    One column is looked through, then a few rows by their ids: of a million half as long as one query, 0.1 s.
    """
    same = values(con, "SELECT id FROM records WHERE question_key = ? LIMIT 1000", [question_key])
    query = "FROM records WHERE id IN (SELECT unnest(?)) ORDER BY sequence DESC"
    found = [to_stored(row) for row in rows(con, query, [[record_id, *same]])]
    live = [one for one in found if not one.replaced_by and one.status is not Status.FORGOTTEN]
    return [one for one in found if one.record.id == record_id] + live[:limit]


def newest_sequence(con: Connection) -> int:
    """Number of the last record to arrive; -1 without records."""
    return int(values(con, "SELECT coalesce(max(sequence), -1) FROM records")[0])


def eligible(con: Connection, first: int = 0, last: int = LAST) -> list[StoredRecord]:
    """What may train now: active, and not held out for the owner's suite. From one sequence number to another."""
    query = f"FROM records WHERE sequence BETWEEN ? AND ? AND {MAY_TRAIN} ORDER BY sequence"
    return [to_stored(row) for row in rows(con, query, [first, last])]


def new_since(con: Connection, snapshot_id: str) -> list[str]:
    """Ids that may train and that the snapshot neither holds nor passed over; every eligible id without a snapshot."""
    query = f"""
        SELECT id FROM records
        WHERE {MAY_TRAIN}
            AND id NOT IN (SELECT record_id FROM snapshot_records WHERE snapshot_id = $snapshot)
            AND id NOT IN (SELECT record_id FROM passed_over WHERE snapshot_id = $snapshot)
        ORDER BY sequence
    """
    return [str(row[0]) for row in con.execute(query, {"snapshot": snapshot_id}).fetchall()]


def data_lines(con: Connection, first: int = 0, last: int = LAST) -> list[str]:
    """What may train now, a line each with its tags; the id stands for the texts."""
    query = f"""
        SELECT id, language, category, reasoning FROM records
        WHERE sequence BETWEEN ? AND ? AND {MAY_TRAIN} ORDER BY sequence
    """
    return ["\t".join(row) for row in con.execute(query, [first, last]).fetchall()]


def data_hash(lines: Iterable[str]) -> str:
    """Hex SHA-256 over `data_lines`: a night's key, together with its date."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()


def categorised(con: Connection, most: int) -> list[StoredRecord]:
    """The newest that may train and whose category a person or a file gave, in order of arrival."""
    query = f"""
        FROM records WHERE category_source IN ('import', 'person') AND category <> 'uncategorised' AND {MAY_TRAIN}
        ORDER BY sequence DESC LIMIT {int(most)}
    """
    return [to_stored(row) for row in rows(con, query)][::-1]


def set_status(
    con: Connection, ids: Iterable[str], status: Status, reason: Reason | None, at: datetime, only: Sequence[Status]
) -> int:
    """Give `status` to those of `ids` whose present one is among `only`; how many that were."""
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
