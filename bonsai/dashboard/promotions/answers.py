"""Values -> what the page of changed answers shows: what both said, side by side, with what differs marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bonsai.benchmark.report import domain_name
from bonsai.dashboard.differences import Marked, marked
from bonsai.dashboard.web import Visit
from bonsai.dashboard.words import language_name
from bonsai.pipeline.verdicts.explaining import Flip, NearRecord, SliceChange


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
    topic = f"{domain_name(flip.domain, visit.language)}{visit.text('comma')}{language_name(visit, flip.language)}"
    languages = (flip.language, flip.question_language)
    return Answers(flip.question, flip.reference, before, after, flip.gained, topic, *languages, flip.records)


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
        words = f"{domain_name(domain, visit.language)}{visit.text('comma')}{language_name(visit, language)}"
    else:
        words = visit.text(f"decision.slice_{domain}")
    return f"{visit.text('own_questions')}: {words}" if one.sheet == "suite" else words
