"""What a candidate learned that its champion had not, and the reverse: from the lineage and the snapshots of both.

    new         learned by the candidate alone
    edited      the same, and the champion learned an earlier version of it
    retagged    in the snapshots of both, with another category or language
    removed     learned by the champion alone, and no later version of it by the candidate

Lineage counts what an adapter's ancestors learned too. Whether tags changed is read from the two snapshots' own files;
where one was erased, nothing is said to be retagged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from bonsai.promotion import BASE
from bonsai.snapshots import RECORDS
from storage import adapters_table
from storage.adapters_table import LINEAGE
from storage.connect import Connection
from storage.record_rows import StoredRecord, to_stored
from storage.sql import rows

Kind = Literal["new", "edited", "retagged", "removed"]
KINDS: tuple[Kind, ...] = get_args(Kind)
CHANGES = f"""{LINEAGE},
    differing AS MATERIALIZED (
        SELECT record_id AS id, bool_or(adapter = $candidate) AS ours FROM (
            SELECT adapter, snapshot_id FROM lineage WHERE adapter IN ($candidate, $champion)
        ) JOIN snapshot_records USING (snapshot_id)
        GROUP BY record_id HAVING bool_or(adapter = $candidate) <> bool_or(adapter = $champion)
    ),
    added AS (SELECT id FROM differing WHERE ours),
    gone AS (SELECT id FROM differing WHERE NOT ours),
    later (earlier, id) AS (
        SELECT record_id, replaced_by FROM record_versions SEMI JOIN gone ON gone.id = record_id
        WHERE record_id <> replaced_by
        UNION
        SELECT later.earlier, link.replaced_by FROM later JOIN record_versions link ON link.record_id = later.id
        WHERE link.record_id <> link.replaced_by
    ),
    edited AS (SELECT id, min(earlier) AS earlier FROM later SEMI JOIN added USING (id) GROUP BY id),
    changes AS (
        SELECT 'new' AS kind, id, '' AS earlier FROM added ANTI JOIN edited USING (id)
        UNION ALL SELECT 'edited', id, earlier FROM edited
        UNION ALL SELECT 'removed', id, '' FROM gone WHERE id NOT IN (
            SELECT later.earlier FROM later SEMI JOIN added USING (id)
        )
        UNION ALL SELECT 'retagged', id, '' FROM ({{retagged}})
    )
"""
NOTHING = "SELECT '' AS id WHERE false"
RETAGGED = """
    SELECT record_id AS id FROM read_parquet($new_rows) new_rows JOIN read_parquet($old_rows) old_rows USING (record_id)
    WHERE old_rows.role <> 'anchor'
        AND (new_rows.category, new_rows.language) IS DISTINCT FROM (old_rows.category, old_rows.language)
"""


@dataclass(frozen=True, slots=True)
class Group:
    """How many records of one language and category changed in one way."""

    kind: Kind
    language: str
    category: str
    count: int


@dataclass(frozen=True, slots=True)
class Changed:
    """One record that changed; as it stands now."""

    kind: Kind
    stored: StoredRecord
    earlier: str
    "Id of the version that the champion learned, for `edited`."


@dataclass(frozen=True, slots=True)
class Texts:
    """What a record says."""

    id: str
    instruction: str
    input: str
    output: str


@dataclass(frozen=True, slots=True)
class _Query:
    """The beginning of a query, and its values."""

    sql: str
    values: dict[str, object]


def counts(con: Connection, snapshots: Path, candidate: str, champion: str) -> dict[Kind, int]:
    """How many changed in each way; the table of all records is not read."""
    query = _query(con, snapshots, candidate, champion)
    found = rows(con, f"{query.sql} SELECT kind, count(*) AS count FROM changes GROUP BY kind", query.values)
    known = {row["kind"]: int(row["count"]) for row in found}
    return {kind: known.get(kind, 0) for kind in KINDS}


def groups(con: Connection, snapshots: Path, candidate: str, champion: str) -> list[Group]:
    """Counts by kind, language and category. `snapshots` is the home's folder of them."""
    query = _query(con, snapshots, candidate, champion)
    found = rows(
        con,
        f"""{query.sql}
        SELECT kind, language, category, count(*) AS count FROM changes JOIN records USING (id)
        GROUP BY ALL ORDER BY ALL
        """,
        query.values,
    )
    return [Group(**row) for row in found]


def page(
    con: Connection,
    snapshots: Path,
    candidate: str,
    champion: str,
    *,
    limit: int,
    before: str = "",
    kinds: Sequence[Kind] = KINDS,
) -> list[Changed]:
    """The newest records that changed; for the next page pass the last one's id as `before`."""
    query = _query(con, snapshots, candidate, champion)
    older = "AND sequence < (SELECT sequence FROM records WHERE id = $before)" if before else ""
    found = rows(
        con,
        f"""{query.sql}
        SELECT kind, earlier, id FROM changes JOIN (SELECT id, sequence FROM records) USING (id)
        WHERE list_contains($kinds, kind) {older} ORDER BY sequence DESC LIMIT {int(limit)}
        """,
        query.values | {"kinds": list(kinds)} | ({"before": before} if before else {}),
    )
    stored = _stored(con, [row["id"] for row in found])
    return [Changed(row["kind"], stored[row["id"]], row["earlier"]) for row in found]


def new_texts(con: Connection, snapshots: Path, candidate: str, champion: str, *, most: int) -> list[Texts]:
    """What the candidate alone learned and is not forgotten, in order of arrival: the newest `most`."""
    query = _query(con, snapshots, candidate, champion)
    found = rows(
        con,
        f"""{query.sql}
        SELECT id, instruction, input, output FROM changes JOIN records USING (id)
        WHERE kind IN ('new', 'edited') AND status <> 'forgotten' ORDER BY sequence DESC LIMIT {int(most)}
        """,
        query.values,
    )
    return [Texts(**row) for row in reversed(found)]


def _stored(con: Connection, ids: Sequence[str]) -> dict[str, StoredRecord]:
    """A page of them: the whole rows are read of no more."""
    names = ", ".join("?" for _ in ids)
    found = rows(con, f"FROM records WHERE id IN ({names})", list(ids)) if ids else []
    return {row["id"]: to_stored(row) for row in found}


def _query(con: Connection, snapshots: Path, candidate: str, champion: str) -> _Query:
    values: dict[str, object] = {"candidate": candidate, "champion": champion}
    compared = () if champion == BASE else (candidate, champion)
    files = [snapshots / adapters_table.get(con, one).snapshot_id / RECORDS for one in compared]
    if files and all(path.is_file() for path in files):
        values |= {"new_rows": str(files[0]), "old_rows": str(files[1])}
        return _Query(CHANGES.format(retagged=RETAGGED), values)
    return _Query(CHANGES.format(retagged=NOTHING), values)
