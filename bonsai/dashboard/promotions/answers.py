"""Values -> what the page of changed answers shows: what both said, side by side, with what differs marked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from bonsai.benchmark.report import domain_name
from bonsai.dashboard.web import Visit
from bonsai.dashboard.words import language_name
from bonsai.pipeline.explaining import Flip, NearRecord, SliceChange

PIECE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\w+|\s+|.", re.DOTALL)
"A Japanese character, a word, a space: what counts as the same or another."
LONGEST = 600
"Pieces of an answer that are compared; what follows is shown unmarked."
Marked = tuple[tuple[str, bool], ...]
"(text, whether the other answer lacks it)"


@dataclass(frozen=True, slots=True)
class Answers:
    """One question whose answer turned right or wrong."""

    question: str
    reference: str
    before: Marked
    after: Marked
    gained: bool
    topic: str
    language: str
    "Code, for the `lang` of the answers."
    question_language: str
    records: tuple[NearRecord, ...]


@dataclass(frozen=True, slots=True)
class SliceShown:
    """A slice of the questions with its figures."""

    name: str
    items: int
    before: str
    after: str
    gain: str
    bounds: str


def answers(visit: Visit, flips: Sequence[Flip]) -> list[Answers]:
    """In the given order."""
    return [_answers(visit, flip) for flip in flips]


def _answers(visit: Visit, flip: Flip) -> Answers:
    before, after = marked(flip.before, flip.after)
    topic = f"{domain_name(flip.domain, visit.language)}, {language_name(visit, flip.language)}"
    languages = (flip.language, flip.question_language)
    return Answers(flip.question, flip.reference, before, after, flip.gained, topic, *languages, flip.records)


def marked(one: str, other: str) -> tuple[Marked, Marked]:
    """Both texts in pieces, those that the other one lacks marked."""
    left, right = PIECE.findall(one), PIECE.findall(other)
    same = SequenceMatcher(None, left[:LONGEST], right[:LONGEST], autojunk=False).get_matching_blocks()
    return (
        _pieces(left, [(block.a, block.size) for block in same]),
        _pieces(right, [(block.b, block.size) for block in same]),
    )


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


def slices(visit: Visit, found: Sequence[SliceChange]) -> list[SliceShown]:
    """Right answers before and after, the gain with its bounds."""
    return [
        SliceShown(
            name=slice_name(visit, one),
            items=one.items,
            before="" if one.before is None else f"{one.before:.1%}",
            after="" if one.after is None else f"{one.after:.1%}",
            gain=f"{one.gain:+.3f}",
            bounds=visit.text("review.few_facts")
            if one.low is None or one.high is None
            else f"{one.low:+.3f} … {one.high:+.3f}",
        )
        for one in found
    ]


def slice_name(visit: Visit, one: SliceChange) -> str:
    """In words; those of the owner's suite say so."""
    domain, _, language = one.slice.partition("/")
    if language:
        words = f"{domain_name(domain, visit.language)}, {language_name(visit, language)}"
    else:
        words = visit.text(f"decision.slice_{domain}")
    return f"{visit.text('own_questions')}: {words}" if one.sheet == "suite" else words
