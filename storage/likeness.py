"""The few blocks of records most like a text that is still being written: in 30 ms of any number of records.

`storage.similar` asks for whole words, one after the other, and reads hundreds of blocks. Here the signatures of
`text_index` are asked once: which blocks hold the most of the text's rarest n-grams. A record that says nearly the same
shares most of them with it, so a dozen blocks are enough; what merely speaks of the same is not looked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage import text_index
from storage.connect import Connection
from storage.record_rows import StoredRecord, to_stored
from storage.similar import TOLD
from storage.sql import rows, values
from storage.text_index import BITS, BLOCK, WORDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ASKED_BITS = 24
"The rarest ones of a text."
LEAST_SHARE = 0.5
"Of these bits, that a block must hold: one word in eight may be another, and what is new in the text is rare."
MOST_BLOCKS = 8
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
        WHERE held >= {LEAST_SHARE * len(rarest)} ORDER BY held DESC, block DESC LIMIT {MOST_BLOCKS}
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
