"""The difference in training data between a candidate and its champion, from the lineage and snapshots of both.

    new         learned by the candidate only
    edited      new, and the champion learned an earlier version of it
    retagged    in both snapshots, with another category or language
    removed     learned by the champion only, and the candidate learned no later version of it

Lineage includes what an adapter's ancestors learned. Tags are compared in the two snapshots' files; when one was
erased, nothing counts as retagged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

from bonsai.domain.promotion import BASE
from bonsai.domain.snapshots import RECORDS
from storage.connect import Connection
from storage.sql import rows, values
from storage.tables import adapters_table, records_table
from storage.tables.adapters_table import LINEAGE
from storage.tables.record_rows import StoredRecord

Kind = Literal["new", "edited", "retagged", "removed"]
KINDS: tuple[Kind, ...] = get_args(Kind)
CHANGES = f"""{LINEAGE},
    differing AS MATERIALIZED (
        SELECT sequence, bool_or(adapter = $candidate) AS ours FROM (
            SELECT adapter, snapshot_id FROM lineage WHERE adapter IN ($candidate, $champion)
        ) JOIN snapshot_records USING (snapshot_id)
        WHERE sequence IS NOT NULL
        GROUP BY sequence HAVING bool_or(adapter = $candidate) <> bool_or(adapter = $champion)
    ),
    added AS (SELECT sequence FROM differing WHERE ours),
    gone AS (
        SELECT DISTINCT sequence, record_id AS id
        FROM snapshot_records SEMI JOIN (FROM differing WHERE NOT ours) USING (sequence)
    ),
    later (earlier, id) AS (
        SELECT record_id, replaced_by FROM record_versions SEMI JOIN gone ON gone.id = record_id
        WHERE record_id <> replaced_by
        UNION
        SELECT later.earlier, link.replaced_by FROM later JOIN record_versions link ON link.record_id = later.id
        WHERE link.record_id <> link.replaced_by
    ),
    edits AS (
        SELECT DISTINCT held.sequence, later.earlier
        FROM later JOIN snapshot_records held ON held.record_id = later.id SEMI JOIN added USING (sequence)
    ),
    edited AS (SELECT sequence, min(earlier) AS earlier FROM edits GROUP BY sequence),
    changes AS (
        SELECT 'new' AS kind, sequence, '' AS earlier FROM added ANTI JOIN edited USING (sequence)
        UNION ALL SELECT 'edited', sequence, earlier FROM edited
        UNION ALL SELECT 'removed', sequence, '' FROM gone WHERE id NOT IN (SELECT earlier FROM edits)
        UNION ALL SELECT 'retagged', unnest($retagged::BIGINT[]), ''
    )
"""
"Joined on sequence numbers: ids are long, and needed only for the few removed records."
RETAGGED = """
    SELECT DISTINCT held.sequence
    FROM read_parquet($new_rows) new_rows JOIN read_parquet($old_rows) old_rows USING (record_id)
    JOIN snapshot_records held USING (record_id)
    WHERE old_rows.role <> 'anchor' AND held.sequence IS NOT NULL
        AND (new_rows.category, new_rows.language) IS DISTINCT FROM (old_rows.category, old_rows.language)
"""


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """Number of changes of one kind in one language and category."""

    kind: Kind
    language: str
    category: str
    count: int


@dataclass(frozen=True, slots=True)
class ChangedRecord:
    """One changed record, as it is now."""

    kind: Kind
    stored: StoredRecord
    earlier: str
    "For `edited`: id of the version that the champion learned."


@dataclass(frozen=True, slots=True)
class Texts:
    """A record's texts."""

    id: str
    instruction: str
    input: str
    output: str


@dataclass(frozen=True, slots=True)
class _Query:
    """The CTEs of a query and their parameters."""

    sql: str
    values: dict[str, object]


def counts(con: Connection, snapshots: Path, candidate: str, champion: str) -> dict[Kind, int]:
    """Number of changes of each kind, without reading `records`."""
    query = _query(con, snapshots, candidate, champion)
    found = rows(con, f"{query.sql} SELECT kind, count(*) AS count FROM changes GROUP BY kind", query.values)
    known = {row["kind"]: int(row["count"]) for row in found}
    return {kind: known.get(kind, 0) for kind in KINDS}


@contextmanager
def materialised(con: Connection, snapshots: Path, candidate: str, champion: str) -> Iterator[None]:
    """Compute the changes once, for `groups` and `page` inside the block. `snapshots`: the home's folder."""
    query = _query(con, snapshots, candidate, champion)
    con.execute(f"CREATE OR REPLACE TEMP TABLE changed AS {query.sql} FROM changes", query.values)
    yield
    con.execute("DROP TABLE temp.changed")


def groups(con: Connection) -> list[ChangeGroup]:
    """Counts by kind, language and category."""
    query = """
        SELECT kind, language, category, count(*) AS count FROM temp.changed JOIN records USING (sequence)
        GROUP BY ALL ORDER BY ALL
    """
    return [ChangeGroup(**row) for row in rows(con, query)]


def page(con: Connection, *, limit: int, before: str = "", kinds: Sequence[Kind] = KINDS) -> list[ChangedRecord]:
    """One page of changed records, newest first; the cursor `before` is the last id of the page before."""
    older = "AND sequence < (SELECT sequence FROM records WHERE id = $before)" if before else ""
    found = rows(
        con,
        f"""
        SELECT kind, earlier, sequence FROM temp.changed
        WHERE kind IN (SELECT unnest($kinds)) {older} ORDER BY sequence DESC LIMIT {int(limit)}
        """,
        {"kinds": list(kinds)} | ({"before": before} if before else {}),
    )
    stored = records_table.by_sequence(con, [row["sequence"] for row in found])
    return [ChangedRecord(row["kind"], stored[row["sequence"]], row["earlier"]) for row in found]


def new_texts(con: Connection, snapshots: Path, candidate: str, champion: str, *, most: int) -> list[Texts]:
    """The newest `most` records that only the candidate learned, in order of arrival, forgotten ones left out."""
    query = _query(con, snapshots, candidate, champion)
    found = rows(
        con,
        f"""{query.sql}
        SELECT id, instruction, input, output FROM changes JOIN records USING (sequence)
        WHERE kind IN ('new', 'edited') AND status <> 'forgotten' ORDER BY sequence DESC LIMIT {int(most)}
        """,
        query.values,
    )
    return [Texts(**row) for row in reversed(found)]


def _query(con: Connection, snapshots: Path, candidate: str, champion: str) -> _Query:
    retagged: tuple[int, ...] = ()
    if champion != BASE:
        files = [snapshots / adapters_table.get(con, one).snapshot_id / RECORDS for one in (candidate, champion)]
        retagged = _retagged(con, *files) if all(path.is_file() for path in files) else ()
    return _Query(CHANGES, {"candidate": candidate, "champion": champion, "retagged": list(retagged)})


def _retagged(con: Connection, new: Path, old: Path) -> tuple[int, ...]:
    """Sequence numbers of the records that both snapshots hold with different tags."""
    kept = _cache_cell(new, new.stat().st_mtime_ns, old, old.stat().st_mtime_ns)
    if not kept:
        kept.append(tuple(values(con, RETAGGED, {"new_rows": str(new), "old_rows": str(old)})))
    return kept[0]


@lru_cache(maxsize=2)
def _cache_cell(new: Path, new_ns: int, old: Path, old_ns: int) -> list[tuple[int, ...]]:
    """A cache cell for one pair of files: 100,000 rows take 60 ms, and change only when something is erased."""
    return []
