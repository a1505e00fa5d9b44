"""The tables `snapshots`, `snapshot_records` (which own records each snapshot holds: lineage) and `passed_over`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bonsai.domain.snapshots import Snapshot
from bonsai.errors import UnknownId
from storage.connect import Connection, Database
from storage.scale.pacing import Pace, paced
from storage.sql import batch, from_utc, rows, to_utc, values


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """A snapshot as the database knows it; its examples lie in `folder`."""

    id: str
    content_hash: str
    folder: str
    seed: int
    own_records: int
    anchors: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """How much of what a snapshot holds."""

    snapshot: str
    own: int
    anchors: int
    kinds: Mapping[tuple[str, str], int]
    "(language, category) -> own records, as they are tagged now."


def add(con: Connection, snapshot: Snapshot, at: datetime) -> bool:
    """Record a finished snapshot and its lineage; False when it was there. Safe to repeat."""
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
    """Records that a snapshot leaves out and that are not new because of that; before `add`, in short transactions.

    The same snapshot may leave out others when it is made again. Safe to repeat.
    """
    with database.writing() as con:
        con.execute("DELETE FROM passed_over WHERE snapshot_id = ?", [snapshot_id])
    paced(database, record_ids, Pace(), lambda con, piece: _put_passed_over(con, snapshot_id, piece))


def _put_passed_over(con: Connection, snapshot_id: str, record_ids: Sequence[str]) -> None:
    with batch(con, {"record_id": record_ids}):
        con.execute("INSERT INTO passed_over SELECT ?, record_id FROM batch", [snapshot_id])


def keep_passed_over(con: Connection, snapshot_id: str) -> None:
    """Only the last trained snapshot says what is new: what the others passed over can go."""
    con.execute("DELETE FROM passed_over WHERE snapshot_id <> ?", [snapshot_id])


def get(con: Connection, snapshot_id: str) -> StoredSnapshot:
    """Raises UnknownId."""
    found = rows(con, "FROM snapshots WHERE id = ?", [snapshot_id])
    if not found:
        raise UnknownId("storage.unknown_snapshot", id=snapshot_id)
    return StoredSnapshot(**found[0] | {"created_at": from_utc(found[0]["created_at"])})


def latest(con: Connection) -> StoredSnapshot | None:
    """The newest snapshot."""
    found = values(con, "SELECT id FROM snapshots ORDER BY created_at DESC, id LIMIT 1")
    return get(con, found[0]) if found else None


def holds(con: Connection, snapshot_id: str) -> Held | None:
    """Counts of what is in a snapshot; None for one that is not known."""
    query = """
        SELECT language, category, count(*) FROM records
        SEMI JOIN (SELECT sequence FROM snapshot_records WHERE snapshot_id = ?) USING (sequence) GROUP BY ALL
    """
    found = rows(con, "SELECT own_records, anchors FROM snapshots WHERE id = ?", [snapshot_id])
    if not found:
        return None
    kinds = {(str(one), str(other)): int(count) for one, other, count in con.execute(query, [snapshot_id]).fetchall()}
    return Held(snapshot_id, found[0]["own_records"], found[0]["anchors"], kinds)


def holding(con: Connection, records: Iterable[str]) -> tuple[str, ...]:
    """Ids of the snapshots that hold one of the records."""
    with batch(con, {"record_id": sorted(records)}):
        query = "SELECT DISTINCT snapshot_id FROM snapshot_records SEMI JOIN batch USING (record_id) ORDER BY 1"
        return tuple(values(con, query))


def record_ids(con: Connection, snapshot_id: str) -> frozenset[str]:
    """The own records that the snapshot holds."""
    return frozenset(values(con, "SELECT record_id FROM snapshot_records WHERE snapshot_id = ?", [snapshot_id]))
