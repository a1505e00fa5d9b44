"""Side-by-side diffs of two texts: changed answers, record versions, contradictions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

PIECE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\w+|\s+|.", re.DOTALL)
"Unit of comparison: a Japanese character, a word or a space."
MAX_PIECES = 600
"Compared pieces of a text; the rest is shown unmarked."
Marked = tuple[tuple[str, bool], ...]
"(text, whether it is missing in the other)"


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that differs between two things."""

    name: str
    one: Marked
    other: Marked


def mark_differences(one: str, other: str) -> tuple[Marked, Marked]:
    """Both texts in pieces, with those missing in the other marked."""
    left, right = PIECE.findall(one), PIECE.findall(other)
    same = SequenceMatcher(None, left[:MAX_PIECES], right[:MAX_PIECES], autojunk=False).get_matching_blocks()
    return (
        _pieces(left, [(block.a, block.size) for block in same]),
        _pieces(right, [(block.b, block.size) for block in same]),
    )


def difference(name: str, one: str, other: str) -> Difference:
    """A field with its differences marked."""
    return Difference(name, *mark_differences(one, other))


def _pieces(pieces: Sequence[str], same: Sequence[tuple[int, int]]) -> Marked:
    made: list[tuple[str, bool]] = []
    reached = 0
    for start, size in same:
        if start > reached:
            made.append(("".join(pieces[reached:start]), True))
        if size:
            made.append(("".join(pieces[start : start + size]), False))
        reached = start + size
    if reached < len(pieces):
        made.append(("".join(pieces[reached:]), len(pieces) <= MAX_PIECES))
    return tuple(made)
