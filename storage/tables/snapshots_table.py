"""The tables `snapshots`, `snapshot_records` (the own records of each snapshot: lineage) and `passed_over`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bonsai.domain.snapshots import Snapshot
from bonsai.errors import UnknownId
from storage.connect import Connection, Database
from storage.scale.pacing import Pace, write_in_batches
from storage.sql import batch, from_utc, rows, to_utc, values


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """A snapshot's row; its examples are in `folder`."""

    id: str
    content_hash: str
    folder: str
    seed: int
    own_records: int
    anchors: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SnapshotContents:
    """Counts of a snapshot's rows."""

    snapshot: str
    own: int
    anchors: int
    kinds: Mapping[tuple[str, str], int]
    "(language, category) -> own records, by their present tags."


def add(con: Connection, snapshot: Snapshot, at: datetime) -> bool:
    """Insert a finished snapshot and its lineage; False when it exists. Safe to repeat."""
    if values(con, "SELECT 1 FROM snapshots WHERE id = ?", [snapshot.id]):
        return False
    splits = [("train", one) for one in snapshot.train] + [("validation", one) for one in snapshot.validation]
    own = [(split, one.record_id) for split, one in splits if one.role != "anchor"]
    con.execute(
        "INSERT INTO snapshots VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            snapshot.id,
            snapshot.content_hash,
            snapshot.folder,
            snapshot.seed,
            len(own),
            len(splits) - len(own),
            to_utc(at),
        ],
    )
    if own:
        with batch(con, {"record_id": [record_id for _, record_id in own], "split": [split for split, _ in own]}):
            con.execute(
                """
                INSERT INTO snapshot_records (snapshot_id, record_id, split, sequence)
                SELECT DISTINCT ?, record_id, split, records.sequence FROM batch LEFT JOIN records ON id = record_id
                ORDER BY records.sequence, record_id
                """,
                [snapshot.id],
            )
    return True


def pass_over(database: Database, snapshot_id: str, record_ids: Sequence[str]) -> None:
    """Write which records a snapshot leaves out, so that they do not count as new; before `add`, in short transactions.

    Replaces what an earlier attempt at the same snapshot wrote. Safe to repeat.
    """
    with database.writing() as con:
        con.execute("DELETE FROM passed_over WHERE snapshot_id = ?", [snapshot_id])
    write_in_batches(database, record_ids, Pace(), lambda con, piece: _put_passed_over(con, snapshot_id, piece))


def _put_passed_over(con: Connection, snapshot_id: str, record_ids: Sequence[str]) -> None:
    with batch(con, {"record_id": record_ids}):
        con.execute("INSERT INTO passed_over SELECT ?, record_id FROM batch", [snapshot_id])


def keep_passed_over(con: Connection, snapshot_id: str) -> None:
    """Delete what other snapshots passed over: only the last trained one defines what is new."""
    con.execute("DELETE FROM passed_over WHERE snapshot_id <> ?", [snapshot_id])


def get(con: Connection, snapshot_id: str) -> StoredSnapshot:
    """One snapshot. Raises UnknownId."""
    found = rows(con, "FROM snapshots WHERE id = ?", [snapshot_id])
    if not found:
        raise UnknownId("storage.unknown_snapshot", id=snapshot_id)
    return StoredSnapshot(**found[0] | {"created_at": from_utc(found[0]["created_at"])})


def latest(con: Connection) -> StoredSnapshot | None:
    """The newest snapshot."""
    found = values(con, "SELECT id FROM snapshots ORDER BY created_at DESC, id LIMIT 1")
    return get(con, found[0]) if found else None


def contents(con: Connection, snapshot_id: str) -> SnapshotContents | None:
    """Counts of a snapshot's rows; None for an unknown id."""
    query = """
        SELECT language, category, count(*) FROM records
        SEMI JOIN (SELECT sequence FROM snapshot_records WHERE snapshot_id = ?) USING (sequence) GROUP BY ALL
    """
    found = rows(con, "SELECT own_records, anchors FROM snapshots WHERE id = ?", [snapshot_id])
    if not found:
        return None
    kinds = {(str(one), str(other)): int(count) for one, other, count in con.execute(query, [snapshot_id]).fetchall()}
    return SnapshotContents(snapshot_id, found[0]["own_records"], found[0]["anchors"], kinds)


def snapshots_with(con: Connection, records: Iterable[str]) -> tuple[str, ...]:
    """Ids of the snapshots with any of the records."""
    with batch(con, {"record_id": sorted(records)}):
        query = "SELECT DISTINCT snapshot_id FROM snapshot_records SEMI JOIN batch USING (record_id) ORDER BY 1"
        return tuple(values(con, query))


def record_ids(con: Connection, snapshot_id: str) -> frozenset[str]:
    """Ids of the snapshot's own records."""
    return frozenset(values(con, "SELECT record_id FROM snapshot_records WHERE snapshot_id = ?", [snapshot_id]))
