"""Two texts side by side, what differs marked: changed answers, versions of a record, records that contradict."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

PIECE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\w+|\s+|.", re.DOTALL)
"A Japanese character, a word, a space: what counts as the same or another."
LONGEST = 600
"Pieces of a text that are compared; what follows is shown unmarked."
Marked = tuple[tuple[str, bool], ...]
"(text, whether the other one lacks it)"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of two things that differ in it."""

    name: str
    one: Marked
    other: Marked


def marked(one: str, other: str) -> tuple[Marked, Marked]:
    """Both texts in pieces, those that the other one lacks marked."""
    left, right = PIECE.findall(one), PIECE.findall(other)
    same = SequenceMatcher(None, left[:LONGEST], right[:LONGEST], autojunk=False).get_matching_blocks()
    return (
        _pieces(left, [(block.a, block.size) for block in same]),
        _pieces(right, [(block.b, block.size) for block in same]),
    )


def difference(name: str, one: str, other: str) -> Difference:
    """A field, marked."""
    return Difference(name, *marked(one, other))


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
        made.append(("".join(pieces[reached:]), len(pieces) <= LONGEST))
    return tuple(made)
