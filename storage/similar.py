"""Records that hold the rarest words of a text: a few hundred of any number, for who compares them closely.

One pass over the table, without an index: words that stand in most records are left out, the rest weigh by how rare
they are among the newest records (inverse document frequency). A million records take about a second of one thread.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from storage.connect import Connection
from storage.record_rows import StoredRecord, to_stored
from storage.sql import rows

SAMPLED = 4_000
"The newest records, of which is counted how common a word is."
MOST_WORDS = 8
"The rarest ones; each costs a look into every text."
COMMON = 0.5
"Share of the records from which on a word says nothing."
SAID = "lower(concat_ws(chr(10), instruction, input, output))"
TOLD = "status <> 'forgotten' AND replaced_by = ''"


def holding_words(con: Connection, words: Sequence[str], most: int) -> list[StoredRecord]:
    """At most `most` records that hold one of the words at least, those with the rarest ones first."""
    weighed = _weighed(con, sorted({word.lower() for word in words if word}))
    if not weighed:
        return []
    given = {f"w{number}": word for number, (word, _) in enumerate(weighed)}
    score = " + ".join(
        f"CASE WHEN contains(said, $w{number}) THEN {weight:.6f} ELSE 0 END"
        for number, (_, weight) in enumerate(weighed)
    )
    read = f"SELECT *, {SAID} AS said FROM records WHERE {TOLD}"
    query = f"""
        SELECT * EXCLUDE (said, score) FROM (SELECT *, {score} AS score FROM ({read}))
        WHERE score > 0 ORDER BY score DESC, sequence DESC LIMIT {int(most)}
    """
    return [to_stored(row) for row in rows(con, query, given)]


def _weighed(con: Connection, words: Sequence[str]) -> list[tuple[str, float]]:
    """The rarest words that any record may hold, with their weights."""
    if not words:
        return []
    counts = ", ".join(f"count(*) FILTER (contains(said, $w{number}))" for number in range(len(words)))
    sample = f"""
        SELECT {SAID} AS said FROM records
        WHERE sequence > (SELECT max(sequence) FROM records) - {SAMPLED} AND {TOLD}
    """
    given = {f"w{number}": word for number, word in enumerate(words)}
    all_, *found = con.execute(f"SELECT count(*), {counts} FROM ({sample})", given).fetchall()[0]
    weights = [(word, math.log1p(all_ / (count + 1))) for word, count in zip(words, found, strict=True)]
    telling = [pair for pair, count in zip(weights, found, strict=True) if count <= max(COMMON * all_, 1)]
    return sorted(telling or weights, key=lambda pair: -pair[1])[:MOST_WORDS]


def by_ids(con: Connection, ids: Sequence[str]) -> list[StoredRecord]:
    """The stored ones among a few ids, in the given order."""
    found = {row["id"]: row for row in rows(con, "FROM records WHERE id IN (SELECT unnest(?))", [list(ids)])}
    return [to_stored(found[one]) for one in ids if one in found]


def asking_the_same(con: Connection, question_key: str) -> list[StoredRecord]:
    """Records with the very same question and context, but for case and punctuation."""
    return [to_stored(row) for row in rows(con, f"FROM records WHERE question_key = ? AND {TOLD}", [question_key])]
