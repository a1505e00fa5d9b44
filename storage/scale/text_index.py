"""A signature file over the records' texts, so that a search reads few of a million records.

A block is 16 records in order of arrival. Each character, bigram and, in ASCII, trigram sets one of its 4,096 bits; a
block that lacks a bit of the query cannot match, the others are read. Characters serve Japanese, which has no spaces.
The bits are stored in 64 columns, of which a search reads only those it needs: a bit-sliced signature file (Faloutsos
and Christodoulakis, Signature files, ACM TOIS 2(4), 1984). 32 MB for a million records.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from bonsai.domain.record_fields import TEXTS
from storage.connect import Connection, Database
from storage.sql import among, batch, values
from storage.tables import settings_table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


BLOCK = 16
"Records; 32 would halve the size and double what a search reads."
WORDS = 64
"Columns of 64 bits."
BITS = WORDS * 64
MULTIPLIER = 0x9E3779B1
"A prime next to 2^32 divided by the golden ratio."
MAX_BLOCKS = 2_000
"Blocks signatures at once."


def bits_of(texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.uint32]]:
    """The bits that lower-case texts set: (text's index, bit), unordered, with repetitions."""
    import numpy as np  # slow to import, and most commands need none

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
    """Sign the blocks from this record's on, in the caller's transaction."""
    index(con, range(sequence // BLOCK, _newest_block(con) + 1))


def index(con: Connection, blocks: Iterable[int]) -> None:
    """Sign these blocks from their present texts, in the caller's transaction. Safe to repeat."""
    for low, high in runs(sorted(set(blocks), reverse=True), MAX_BLOCKS):
        _index(con, low, high)


def _index(con: Connection, low: int, high: int) -> None:
    signatures = _signatures(con, low, high)
    columns = {name: signatures[:, n] for n, name in enumerate(("block", *(f"w{word}" for word in range(WORDS))))}
    con.execute("DELETE FROM text_blocks WHERE block BETWEEN ? AND ?", [low, high])
    with batch(con, columns):
        con.execute("INSERT INTO text_blocks SELECT * FROM batch")


def _signatures(con: Connection, low: int, high: int) -> NDArray[np.uint64]:
    """The signatures of these blocks, computed from their texts. (blocks, 1 + words)"""
    import numpy as np

    texts_sql = f"lower(concat_ws(chr(10), {', '.join(TEXTS)}))"
    query = f"SELECT sequence // {BLOCK}, {texts_sql} FROM records WHERE sequence BETWEEN ? AND ?"
    found = con.execute(query, [low * BLOCK, (high + 1) * BLOCK - 1]).fetchall()
    texts, bits = bits_of([text for _, text in found])
    block = np.array([number for number, _ in found], np.int64) - low
    signatures = np.zeros((high - low + 1, BITS), bool)
    signatures[block[texts], bits] = True
    words = np.packbits(signatures, axis=1, bitorder="little").view(np.uint64)
    return np.column_stack([np.arange(low, high + 1, dtype=np.uint64), words])


def index_records(con: Connection, ids: Iterable[str]) -> None:
    """Sign the blocks of records whose texts have changed."""
    chosen = among(ids)
    index(con, values(con, f"SELECT DISTINCT sequence // {BLOCK} FROM records WHERE {chosen.sql}", chosen.values))


def is_wrong(con: Connection) -> bool:
    """Whether any signature differs from its texts; reads every text."""
    newest = _newest_block(con)
    unsigned = _last_unsigned_block(con)
    for low in range(unsigned + 1, newest + 1, MAX_BLOCKS):
        high = min(low + MAX_BLOCKS - 1, newest)
        stored = con.execute("FROM text_blocks WHERE block BETWEEN ? AND ? ORDER BY block", [low, high]).fetchall()
        if [list(row) for row in stored] != _signatures(con, low, high).tolist():
            return True
    return bool(values(con, "SELECT count(*) FROM text_blocks WHERE block > ?", [newest])[0])


def candidates(con: Connection, words: str) -> list[int]:
    """Blocks that may contain the words, newest first, unsigned blocks included."""
    lowered = str(values(con, "SELECT lower(?)", [words])[0])
    masks: dict[int, int] = {}
    for bit in {int(one) for one in bits_of([lowered])[1]}:
        masks[bit // 64] = masks.get(bit // 64, 0) | 1 << bit % 64
    holds = " AND ".join(f"(w{word} & {mask}::UBIGINT) = {mask}::UBIGINT" for word, mask in sorted(masks.items()))
    unsigned = _last_unsigned_block(con)
    signatures = values(
        con, f"SELECT block FROM text_blocks WHERE block > ? AND {holds} ORDER BY block DESC", [unsigned]
    )
    return [*(int(block) for block in signatures), *range(unsigned, -1, -1)]


def complete(database: Database, at: datetime) -> None:
    """Sign the blocks of a database from before signatures, batch by batch. Safe to interrupt and repeat."""
    unsigned = MAX_BLOCKS
    while unsigned >= 0:
        with database.writing() as con:
            unsigned = _last_unsigned_block(con)
            if unsigned >= 0:
                low = max(unsigned - MAX_BLOCKS + 1, 0)
                _index(con, low, unsigned)
                settings_table.put(con, settings_table.TEXTS_UNSIGNED_TO, low * BLOCK - 1, at)


def clear(con: Connection, at: datetime) -> None:
    """Delete all signatures; until `complete` rebuilds them a search reads every text."""
    con.execute("DELETE FROM text_blocks")
    settings_table.put(con, settings_table.TEXTS_UNSIGNED_TO, (_newest_block(con) + 1) * BLOCK - 1, at)


def _newest_block(con: Connection) -> int:
    """-1 without records."""
    return int(values(con, "SELECT coalesce(max(sequence), -1) FROM records")[0]) // BLOCK


def _last_unsigned_block(con: Connection) -> int:
    """The newest block without a signature; -1 for none."""
    return int(settings_table.get(con, settings_table.TEXTS_UNSIGNED_TO, -1)) // BLOCK


def runs(blocks: Iterable[int], most: int, gap: int = 0) -> list[tuple[int, int]]:
    """Blocks as runs (lowest, highest) of at most `most`, newest first as given; bridges gaps up to `gap` blocks."""
    made: list[tuple[int, int]] = []
    for block in blocks:
        low, high = made[-1] if made else (None, None)
        if low is not None and high is not None and low - block <= gap + 1 and high - block < most:
            made[-1] = block, high
        else:
            made.append((block, block))
    return made
