"""Records that hold the rarest words of a text: a few hundred of any number, for who compares them closely.

    blocks = {word: may_hold(con, word) for word in words}
    wanted = plan(blocks)
    for step in steps_of(wanted): found += holding(con, wanted, step)       # each some 20 ms, the database free between

The signatures of `text_index` say which blocks of records may hold a word, and so how rare it is (inverse document
frequency, by blocks); the blocks with the rarest words are read, those with all the words first.
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


MOST_WORDS = 8
"The rarest ones."
MOST_BLOCKS = 512
"Of 16 records, that are read."
MOST_OF_STEP = 100
"Records."
SAID = "lower(concat_ws(chr(10), instruction, input, output))"
TOLD = "status <> 'forgotten' AND replaced_by = ''"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to look for, and where."""

    words: tuple[tuple[str, float], ...]
    "Each with its weight: the rarer, the heavier."
    blocks: tuple[int, ...]
    "The newest first."


@dataclass(frozen=True, slots=True)
class HeldRecords:
    """A record that holds some of the words."""

    stored: StoredRecord
    score: float
    "The weights of these words together."


def may_hold(con: Connection, word: str) -> list[int]:
    """Blocks that may hold a word, the newest first."""
    return text_index.candidates(con, word)


def plan(found: Mapping[str, Sequence[int]]) -> Plan:
    """Where the rarest of the words may stand, by the blocks that may hold each."""
    import numpy as np  # slow to import, and most commands look for nothing

    total = max((blocks[0] for blocks in found.values() if blocks), default=-1) + 1
    weighed = {word: math.log1p(total / len(blocks)) for word, blocks in found.items() if blocks}
    rarest = sorted(weighed.items(), key=lambda pair: -pair[1])[:MOST_WORDS]
    scores = np.zeros(total)
    for word, weight in rarest:
        scores[found[word]] += weight
    best = np.lexsort((-np.arange(total), -scores))[:MOST_BLOCKS]  # of equal ones the newest
    return Plan(tuple(rarest), tuple(sorted((int(one) for one in best if scores[one] > 0), reverse=True)))


def steps_of(wanted: Plan) -> Iterator[list[Run]]:
    """What to read at once."""
    return steps(text_index.runs(wanted.blocks, STEP_BLOCKS, GAP_BLOCKS))


def holding(con: Connection, wanted: Plan, step: Sequence[Run]) -> list[HeldRecords]:
    """The records of these blocks that hold one of the words at least, those with the rarest ones first."""
    given = {f"w{number}": word for number, (word, _) in enumerate(wanted.words)}
    weights = [
        f"CASE WHEN contains(said, $w{n}) THEN {weight:.6f} ELSE 0 END" for n, (_, weight) in enumerate(wanted.words)
    ]
    spans = " OR ".join(f"sequence BETWEEN {low * BLOCK} AND {(high + 1) * BLOCK - 1}" for low, high in step)
    bounds = {"first": step[-1][0] * BLOCK, "last": (step[0][1] + 1) * BLOCK - 1}
    query = f"""
        SELECT * EXCLUDE (said) FROM (
            SELECT *, {" + ".join(weights)} AS score FROM (
                SELECT *, {SAID} AS said FROM records WHERE sequence BETWEEN $first AND $last AND ({spans}) AND {TOLD}
            )
        )
        WHERE score > 0 ORDER BY score DESC, sequence DESC LIMIT {MOST_OF_STEP}
    """
    return [HeldRecords(to_stored(row), float(row.pop("score"))) for row in rows(con, query, {**given, **bounds})]


def by_ids(con: Connection, ids: Sequence[str]) -> list[StoredRecord]:
    """The stored ones among a few ids, in the given order."""
    listed = ", ".join("?" for _ in ids) or "NULL"  # by the key's index; a list in one value would read every id
    found = {row["id"]: row for row in rows(con, f"FROM records WHERE id IN ({listed})", ids)}
    return [to_stored(found[one]) for one in ids if one in found]


def asking_the_same(con: Connection, question_keys: Collection[str]) -> list[StoredRecord]:
    """Records with the very same question and context as one of these, but for case and punctuation."""
    named = {f"k{number}": key for number, key in enumerate(sorted(question_keys))}
    keys = ", ".join(f"${name}" for name in named) or "NULL"
    chosen = f"SELECT rowid FROM records WHERE question_key IN ({keys}) AND {TOLD}"
    return [to_stored(row) for row in rows(con, f"FROM records WHERE rowid IN ({chosen})", named)]


ASKED_BITS = 24
"The rarest ones of a text."
LEAST_SHARE = 0.5
"Of these bits, that a block must hold: one word in eight may be another, and what is new in the text is rare."
LIKEST_BLOCKS = 8
SAMPLE = 128
"Blocks, the newest, by which a bit is rare."


def likest(con: Connection, text: str) -> list[StoredRecord]:
    """Every record of the blocks most like a text; those that nobody signed yet are not among them."""
    blocks = _blocks(con, text)
    if not blocks:
        return []
    spans = " OR ".join(f"sequence BETWEEN {one * BLOCK} AND {(one + 1) * BLOCK - 1}" for one in blocks)
    bounds = {"first": min(blocks) * BLOCK, "last": (max(blocks) + 1) * BLOCK - 1}
    chosen = f"SELECT rowid FROM records WHERE sequence BETWEEN $first AND $last AND ({spans}) AND {TOLD}"
    return [to_stored(row) for row in rows(con, f"FROM records WHERE rowid IN ({chosen})", bounds)]


def _blocks(con: Connection, text: str) -> list[int]:
    lowered = str(values(con, "SELECT lower(?)", [text])[0])
    bits = {int(one) for one in text_index.bits_of([lowered])[1]}
    if not bits:
        return []
    often = _often(con)
    rarest = sorted(bits, key=lambda bit: (often[bit], bit))[:ASKED_BITS]
    held = " + ".join(f"(w{bit // 64} >> {bit % 64} & 1)" for bit in rarest)
    query = f"""
        SELECT block FROM (SELECT block, {held} AS held FROM text_blocks)
        WHERE held >= {LEAST_SHARE * len(rarest)} ORDER BY held DESC, block DESC LIMIT {LIKEST_BLOCKS}
    """
    return [int(one) for one in values(con, query)]


def _often(con: Connection) -> NDArray[np.int64]:
    """In how many of the newest blocks each bit is set. (bits,)"""
    import numpy as np  # slow to import, and most commands look for no text

    columns = ", ".join(f"w{word}" for word in range(WORDS))
    newest = f"SELECT max(block) - {SAMPLE} FROM text_blocks"
    found = con.execute(f"SELECT {columns} FROM text_blocks WHERE block > ({newest})").fetchnumpy()
    if not len(found["w0"]):
        return np.zeros(BITS, np.int64)
    words = np.column_stack([np.asarray(found[f"w{word}"], np.uint64) for word in range(WORDS)])  # (blocks, words)
    return np.asarray(np.unpackbits(words.view(np.uint8), axis=1, bitorder="little").sum(0, dtype=np.int64))
