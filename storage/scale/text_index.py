"""Which records may hold a text: a signature of every block of records, so that a search reads few of a million.

A block is 16 records in order of arrival. Each character, each pair and, in ASCII, each three of them in a row set one
of its 4,096 bits; a block that lacks a bit of the words looked for cannot hold them, the others are read. No words are
cut, for Japanese writes none apart. The bits lie in 64 columns, of which a search reads those it needs: a bit-sliced
signature file (Faloutsos and Christodoulakis, Signature files, ACM TOIS 2(4), 1984). 32 MB for a million records.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from storage.connect import Connection, Database
from storage.sql import among, batch, values
from storage.tables import settings_table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


BLOCK = 16
"Records; 32 would be half the size, and a search would read twice as much."
WORDS = 64
"Columns of 64 bits."
BITS = WORDS * 64
MULTIPLIER = 0x9E3779B1
"A prime next to 2^32 divided by the golden ratio."
MOST_BLOCKS = 2_000
"That are signed at once."
TEXT_FIELDS = ("instruction", "input", "output")
"What is looked in; every text is NFKC already."


def bits_of(texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.uint32]]:
    """Which bits some lower-case texts set: (text's number, bit), pairs in no order, some of them twice."""
    import numpy as np  # slow to import, and most commands look for no text

    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    owner = np.repeat(np.arange(len(texts), dtype=np.int32), [len(text) for text in texts])
    plain = codes < 128
    numbers, bits = [owner], [_bit(codes)]
    for length in (2, 3):
        windows = max(len(codes) - length + 1, 0)
        inside = owner[:windows] == owner[length - 1 : length - 1 + windows]
        made = np.zeros(windows, np.uint32)
        for place in range(length):
            made = (made + codes[place : place + windows]) * np.uint32(MULTIPLIER)
            if length == 3:
                inside &= plain[place : place + windows]
        numbers.append(owner[:windows][inside])
        bits.append(_bit(made[inside]))
    return np.concatenate(numbers), np.concatenate(bits)


def _bit(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Multiplicative hashing (Knuth, The Art of Computer Programming, vol. 3, 6.4): the upper bits of the product."""
    import numpy as np

    product = (hashes ^ (hashes >> np.uint32(15))) * np.uint32(MULTIPLIER)
    return np.asarray(product >> np.uint32(32 - BITS.bit_length() + 1), np.uint32)


def index_from(con: Connection, sequence: int) -> None:
    """Sign the blocks of this record and of all later ones, in the caller's transaction."""
    index(con, range(sequence // BLOCK, _newest_block(con) + 1))


def index(con: Connection, blocks: Iterable[int]) -> None:
    """Sign these blocks by the texts that stand in them now, in the caller's transaction. Safe to repeat."""
    for low, high in runs(sorted(set(blocks), reverse=True), MOST_BLOCKS):
        _index(con, low, high)


def _index(con: Connection, low: int, high: int) -> None:
    signed = _signed(con, low, high)
    columns = {name: signed[:, n] for n, name in enumerate(("block", *(f"w{word}" for word in range(WORDS))))}
    con.execute("DELETE FROM text_blocks WHERE block BETWEEN ? AND ?", [low, high])
    with batch(con, columns):
        con.execute("INSERT INTO text_blocks SELECT * FROM batch")


def _signed(con: Connection, low: int, high: int) -> NDArray[np.uint64]:
    """The rows of these blocks by the texts that are there. (blocks, 1 + words)"""
    import numpy as np

    told = f"lower(concat_ws(chr(10), {', '.join(TEXT_FIELDS)}))"
    query = f"SELECT sequence // {BLOCK}, {told} FROM records WHERE sequence BETWEEN ? AND ?"
    found = con.execute(query, [low * BLOCK, (high + 1) * BLOCK - 1]).fetchall()
    texts, bits = bits_of([text for _, text in found])
    block = np.array([number for number, _ in found], np.int64) - low
    signed = np.zeros((high - low + 1, BITS), bool)
    signed[block[texts], bits] = True
    words = np.packbits(signed, axis=1, bitorder="little").view(np.uint64)
    return np.column_stack([np.arange(low, high + 1, dtype=np.uint64), words])


def index_records(con: Connection, ids: Iterable[str]) -> None:
    """Sign the blocks of these records: their texts have changed."""
    chosen = among(ids)
    index(con, values(con, f"SELECT DISTINCT sequence // {BLOCK} FROM records WHERE {chosen.sql}", chosen.values))


def is_wrong(con: Connection) -> bool:
    """Whether any signature is not that of the texts that are there; looks at every text."""
    newest = _newest_block(con)
    older = _older(con)
    for low in range(older + 1, newest + 1, MOST_BLOCKS):
        high = min(low + MOST_BLOCKS - 1, newest)
        stored = con.execute("FROM text_blocks WHERE block BETWEEN ? AND ? ORDER BY block", [low, high]).fetchall()
        if [list(row) for row in stored] != _signed(con, low, high).tolist():
            return True
    return bool(values(con, "SELECT count(*) FROM text_blocks WHERE block > ?", [newest])[0])


def candidates(con: Connection, words: str) -> list[int]:
    """Blocks that may hold the words, the newest first; those that nobody signed yet among them."""
    lowered = str(values(con, "SELECT lower(?)", [words])[0])
    masks: dict[int, int] = {}
    for bit in {int(one) for one in bits_of([lowered])[1]}:
        masks[bit // 64] = masks.get(bit // 64, 0) | 1 << bit % 64
    holds = " AND ".join(f"(w{word} & {mask}::UBIGINT) = {mask}::UBIGINT" for word, mask in sorted(masks.items()))
    older = _older(con)
    signed = values(con, f"SELECT block FROM text_blocks WHERE block > ? AND {holds} ORDER BY block DESC", [older])
    return [*(int(block) for block in signed), *range(older, -1, -1)]


def complete(database: Database, at: datetime) -> None:
    """Sign what stood in a database from before there were signatures, some at a time. Safe to interrupt and repeat."""
    older = MOST_BLOCKS
    while older >= 0:
        with database.writing() as con:
            older = _older(con)
            if older >= 0:
                low = max(older - MOST_BLOCKS + 1, 0)
                _index(con, low, older)
                settings_table.put(con, settings_table.TEXTS_UNSIGNED_TO, low * BLOCK - 1, at)


def forget_all(con: Connection, at: datetime) -> None:
    """Throw all signatures away, for `complete` to make them anew; until then a search reads every text."""
    con.execute("DELETE FROM text_blocks")
    settings_table.put(con, settings_table.TEXTS_UNSIGNED_TO, (_newest_block(con) + 1) * BLOCK - 1, at)


def _newest_block(con: Connection) -> int:
    """-1 without records."""
    return int(values(con, "SELECT coalesce(max(sequence), -1) FROM records")[0]) // BLOCK


def _older(con: Connection) -> int:
    """The newest block that nobody signed; -1 for none."""
    return int(settings_table.get(con, settings_table.TEXTS_UNSIGNED_TO, -1)) // BLOCK


def runs(blocks: Iterable[int], most: int, gap: int = 0) -> list[tuple[int, int]]:
    """Blocks that follow each other as (lowest, highest), at most so many together. Given and made newest first.

    Up to `gap` blocks between them are taken in.
    """
    made: list[tuple[int, int]] = []
    for block in blocks:
        low, high = made[-1] if made else (None, None)
        if low is not None and high is not None and low - block <= gap + 1 and high - block < most:
            made[-1] = block, high
        else:
            made.append((block, block))
    return made
