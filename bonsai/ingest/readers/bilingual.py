"""The seed project's bilingual merge: an English and a Japanese Alpaca file, row by row, into pairs `6EN`, `6JA`.

Row 6 of both files tells the same thing in two languages, so both records carry the same fact key. Their own
reasoning is kept; where there is none, the tags stage writes the sentence that names the answer's language.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from bonsai.domain.records import DEFAULTS, LIMITS, Defaults, Limits, Record, Reject
from bonsai.ingest.readers import read


@dataclass(frozen=True, slots=True)
class PairRow:
    """One half of a pair."""

    name: str
    "`6EN` or `6JA`: the row, counted from 1, and the file's language."
    made: Record | Reject


def merge(
    english: Path,
    japanese: Path,
    *,
    defaults: Defaults = DEFAULTS,
    limits: Limits = LIMITS,
) -> Iterator[PairRow]:
    """Both files interleaved: 1EN, 1JA, 2EN, 2JA ... Rows that only the longer file has come without a partner.

    The fact key is `<English file>+<Japanese file>:6`, so that pairs of different collections never mix; a row's
    own fact key is kept.
    """
    collection = f"{english.stem}+{japanese.stem}"
    files = (read(path, defaults=defaults, limits=limits) for path in (english, japanese))
    for row, pair in enumerate(zip_longest(*files), 1):
        for suffix, made in zip(("EN", "JA"), pair, strict=True):
            if isinstance(made, Record) and not made.fact:
                made = replace(made, fact=f"{collection}:{row}")
            if made is not None:
                yield PairRow(f"{row}{suffix}", made)
