"""Candidate retrieval: a few hundred records that contain the rarest words of a text, for a closer comparison.

    query = plan({word: candidate_blocks(con, word) for word in words})
    for step in plan_steps(query): found += score_step(con, query, step)    # 20 ms each, the database free in between

The signatures of `text_index` tell which blocks of records may contain a word, and so how rare it is (inverse document
frequency over blocks). The blocks with the highest sum of weights are read.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.connect import Connection
from storage.scale import text_index
from storage.scale.search import GAP_BLOCKS, STEP_BLOCKS, Run, steps
from storage.scale.text_index import BITS, BLOCK, WORDS
from storage.sql import rows, values
from storage.tables.record_rows import StoredRecord, to_stored

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


MAX_WORDS = 8
"The rarest of the text."
MAX_BLOCKS = 512
"Of 16 records each."
MAX_RECORDS_PER_STEP = 100
"Records."
TEXT_SQL = "lower(concat_ws(chr(10), instruction, input, output))"
CURRENT_SQL = "status <> 'forgotten' AND replaced_by = ''"


@dataclass(frozen=True, slots=True)
class Plan:
    """The words of a query and the blocks to read."""

    words: tuple[tuple[str, float], ...]
    "(word, inverse document frequency)"
    blocks: tuple[int, ...]
    "Newest first."


@dataclass(frozen=True, slots=True)
class ScoredRecord:
    """A record that contains some of the words."""

    stored: StoredRecord
    score: float
    "Sum of these words' weights."


def all_current(con: Connection, most: int) -> list[StoredRecord] | None:
    """All current records, newest first; None if there are more than `most`."""
    found = rows(con, f"FROM records WHERE {CURRENT_SQL} ORDER BY sequence DESC LIMIT {int(most) + 1}")
    return None if len(found) > most else [to_stored(row) for row in found]


def candidate_blocks(con: Connection, word: str) -> list[int]:
    """Blocks that may contain a word, newest first."""
    return text_index.candidates(con, word)


def plan(found: Mapping[str, Sequence[int]]) -> Plan:
    """Choose the rarest words and the blocks to read. `found`: word -> blocks that may contain it."""
    import numpy as np  # slow to import, and most commands need none

    total = max((blocks[0] for blocks in found.values() if blocks), default=-1) + 1
    weighed = {word: math.log1p(total / len(blocks)) for word, blocks in found.items() if blocks}
    rarest = sorted(weighed.items(), key=lambda pair: -pair[1])[:MAX_WORDS]
    scores = np.zeros(total)
    for word, weight in rarest:
        scores[found[word]] += weight
    best = np.lexsort((-np.arange(total), -scores))[:MAX_BLOCKS]  # ties: the newest
    return Plan(tuple(rarest), tuple(sorted((int(one) for one in best if scores[one] > 0), reverse=True)))


def plan_steps(query_plan: Plan) -> Iterator[list[Run]]:
    """The runs of blocks that one query reads."""
    return steps(text_index.runs(query_plan.blocks, STEP_BLOCKS, GAP_BLOCKS))


def score_step(con: Connection, query_plan: Plan, step: Sequence[Run]) -> list[ScoredRecord]:
    """The records of these blocks that contain at least one of the words, highest score first."""
    given = {f"w{number}": word for number, (word, _) in enumerate(query_plan.words)}
    weights = [
        f"CASE WHEN contains(texts, $w{n}) THEN {weight:.6f} ELSE 0 END"
        for n, (_, weight) in enumerate(query_plan.words)
    ]
    spans = " OR ".join(f"sequence BETWEEN {low * BLOCK} AND {(high + 1) * BLOCK - 1}" for low, high in step)
    bounds = {"first": step[-1][0] * BLOCK, "last": (step[0][1] + 1) * BLOCK - 1}
    query = f"""
        SELECT * EXCLUDE (texts) FROM (
            SELECT *, {" + ".join(weights)} AS score FROM (
                SELECT *, {TEXT_SQL} AS texts FROM records
                WHERE sequence BETWEEN $first AND $last AND ({spans}) AND {CURRENT_SQL}
            )
        )
        WHERE score > 0 ORDER BY score DESC, sequence DESC LIMIT {MAX_RECORDS_PER_STEP}
    """
    return [ScoredRecord(to_stored(row), float(row.pop("score"))) for row in rows(con, query, {**given, **bounds})]


def by_ids(con: Connection, ids: Sequence[str]) -> list[StoredRecord]:
    """The stored records among a few ids, in the given order."""
    listed = ", ".join("?" for _ in ids) or "NULL"  # uses the primary key's index; a list parameter would scan
    found = {row["id"]: row for row in rows(con, f"FROM records WHERE id IN ({listed})", ids)}
    return [to_stored(found[one]) for one in ids if one in found]


def same_question(con: Connection, question_keys: Collection[str]) -> list[StoredRecord]:
    """Current records with one of these question keys."""
    named = {f"k{number}": key for number, key in enumerate(sorted(question_keys))}
    keys = ", ".join(f"${name}" for name in named) or "NULL"
    chosen = f"SELECT rowid FROM records WHERE question_key IN ({keys}) AND {CURRENT_SQL}"
    return [to_stored(row) for row in rows(con, f"FROM records WHERE rowid IN ({chosen})", named)]


QUERY_BITS = 24
"Rarest bits of a text that are compared."
MIN_BIT_SHARE = 0.5
"Share of these bits that a block must have: one word in eight may differ, and what is new in the text is rare."
MAX_SIMILAR_BLOCKS = 8
SAMPLE_BLOCKS = 128
"Newest blocks, over which a bit's frequency is counted."


def most_similar(con: Connection, text: str) -> list[StoredRecord]:
    """All current records of the blocks most similar to a text; blocks without a signature are left out."""
    blocks = _most_similar_blocks(con, text)
    if not blocks:
        return []
    spans = " OR ".join(f"sequence BETWEEN {one * BLOCK} AND {(one + 1) * BLOCK - 1}" for one in blocks)
    bounds = {"first": min(blocks) * BLOCK, "last": (max(blocks) + 1) * BLOCK - 1}
    chosen = f"SELECT rowid FROM records WHERE sequence BETWEEN $first AND $last AND ({spans}) AND {CURRENT_SQL}"
    return [to_stored(row) for row in rows(con, f"FROM records WHERE rowid IN ({chosen})", bounds)]


def _most_similar_blocks(con: Connection, text: str) -> list[int]:
    lowered = str(values(con, "SELECT lower(?)", [text])[0])
    bits = {int(one) for one in text_index.bits_of([lowered])[1]}
    if not bits:
        return []
    frequency = _bit_frequencies(con)
    rarest = sorted(bits, key=lambda bit: (frequency[bit], bit))[:QUERY_BITS]
    shared = " + ".join(f"(w{bit // 64} >> {bit % 64} & 1)" for bit in rarest)
    query = f"""
        SELECT block FROM (SELECT block, {shared} AS shared FROM text_blocks)
        WHERE shared >= {MIN_BIT_SHARE * len(rarest)} ORDER BY shared DESC, block DESC LIMIT {MAX_SIMILAR_BLOCKS}
    """
    return [int(one) for one in values(con, query)]


def _bit_frequencies(con: Connection) -> NDArray[np.int64]:
    """Number of the newest blocks in which each bit is set. (bits,)"""
    import numpy as np  # slow to import, and most commands look for no text

    columns = ", ".join(f"w{word}" for word in range(WORDS))
    newest = f"SELECT max(block) - {SAMPLE_BLOCKS} FROM text_blocks"
    found = con.execute(f"SELECT {columns} FROM text_blocks WHERE block > ({newest})").fetchnumpy()
    if not len(found["w0"]):
        return np.zeros(BITS, np.int64)
    words = np.column_stack([np.asarray(found[f"w{word}"], np.uint64) for word in range(WORDS)])  # (blocks, words)
    return np.asarray(np.unpackbits(words.view(np.uint8), axis=1, bitorder="little").sum(0, dtype=np.int64))
