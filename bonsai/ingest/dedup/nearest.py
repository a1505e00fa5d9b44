"""Which texts are most like a question: for each of a few queries the nearest of many texts, by character n-grams.

Likeness is the share of the query's n-grams that stand in the text, each weighed by how rare it is among the texts
(inverse document frequency, Sparck Jones 1972): "cat" says little where everything is about cats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bonsai.ingest.dedup.keys import text_key
from bonsai.ingest.dedup.shingles import ngrams

LENGTH = 3
CHUNK = 500
"Texts whose n-grams are cut at once: some 2 MB."


@dataclass(frozen=True, slots=True)
class Near:
    """One text that is like a query."""

    number: int
    "Place of the text in the order given."
    likeness: float
    "0 to 1."


def nearest(queries: Sequence[str], texts: Sequence[str], *, most: int, at_least: float) -> list[tuple[Near, ...]]:
    """For each query the `most` likest texts, the likest first, none of them less like it than `at_least`."""
    if not queries or not texts:
        return [() for _ in queries]
    cut = ngrams([text_key(one) for one in queries], LENGTH)
    known, places = np.unique(cut.hashes, return_inverse=True)
    rows, grams = _holding(texts, known)
    frequency = np.bincount(grams, minlength=len(known))
    weights = np.log1p(len(texts) / np.maximum(frequency, 1))
    return [
        _nearest(np.unique(places[cut.rows == number]), rows, grams, weights, len(texts), most, at_least)
        for number in range(len(queries))
    ]


def _holding(texts: Sequence[str], known: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which text holds which of the `known` n-grams, each pair once: (texts' numbers, n-grams' numbers)."""
    pairs = []
    for start in range(0, len(texts), CHUNK):
        cut = ngrams([text_key(one) for one in texts[start : start + CHUNK]], LENGTH)
        places = np.minimum(np.searchsorted(known, cut.hashes), len(known) - 1)
        held = known[places] == cut.hashes
        pairs.append(np.unique((cut.rows[held] + start) * len(known) + places[held]))
    rows, grams = np.divmod(np.concatenate(pairs), len(known))
    return rows, grams


def _nearest(
    asked: NDArray[np.int64], rows: NDArray[np.int64], grams: NDArray[np.int64], weights: NDArray[np.float64],
    texts: int, most: int, at_least: float,
) -> tuple[Near, ...]:  # fmt: skip
    wanted = np.zeros(len(weights), bool)
    wanted[asked] = True
    hit = wanted[grams]
    shared = np.bincount(rows[hit], weights=weights[grams[hit]], minlength=texts)
    likeness = shared / weights[asked].sum()
    best = np.argsort(-likeness, kind="stable")[:most]
    return tuple(Near(int(number), float(likeness[number])) for number in best if likeness[number] >= at_least)
