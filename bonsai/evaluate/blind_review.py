"""A person says which of two answers is better without knowing which model gave which: a blind review.

Asked is where it matters: answers that turned right or wrong, and answers that merely changed where no single answer is
right, for there no rule of the gate has a say. A round is at most `ROUND` questions, of as many facts as there are: its
length is fixed before the first verdict, so that nobody goes on until the figure pleases. The order of the questions
and which answer stands first are drawn by promotion and person: the same person finds everything where it was after a
break, and two persons do not share a habit.

What comes out is the share of preferences that went to the challenger, ties left out, with its exact interval: the sign
test (Dixon & Mood 1946). Blinding and random order against position bias: Zheng et al. 2023,
https://arxiv.org/abs/2306.05685, section 3.3.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from bonsai.evaluate.statistics import exact_interval
from bonsai.i18n import TextLanguage, text

Side = Literal["left", "right", "same"]
SIDES: tuple[Side, ...] = get_args(Side)
Preferred = Literal["challenger", "champion", "same"]
Finding = Literal["challenger", "champion", "unclear"]
ROUND = 30
"Five minutes. If seven of ten preferences truly go one way, about half of such rounds show it."


@dataclass(frozen=True, slots=True)
class BlindQuestion:
    """A question and what both said."""

    item: str
    cluster: str
    "The fact that is asked: another wording of it tells little more."
    language: str
    "Of the answer."
    question_language: str
    question: str
    reference: str
    champion: str
    challenger: str


@dataclass(frozen=True, slots=True)
class BlindPair:
    """A question as the person sees it: nothing here says whose answer is whose."""

    item: str
    language: str
    "Of the answers."
    question_language: str
    question: str
    reference: str
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Tally:
    """What one person preferred."""

    challenger: int
    champion: int
    same: int

    @property
    def preferences(self) -> int:
        """Verdicts that prefer one."""
        return self.challenger + self.champion

    @property
    def share(self) -> float | None:
        """Of the preferences, those for the challenger; None without any."""
        return self.challenger / self.preferences if self.preferences else None

    @property
    def interval(self) -> tuple[float, float]:
        """Exact 95 % bounds of that share."""
        return exact_interval(self.challenger, self.preferences)

    @property
    def finding(self) -> Finding:
        """Who is shown to be preferred."""
        low, high = self.interval
        return "challenger" if low > 0.5 else "champion" if high < 0.5 else "unclear"


def round_of(questions: Sequence[BlindQuestion], adapter: str, person: str) -> tuple[BlindQuestion, ...]:
    """The questions of this person's round, in their order: one of each fact, then a second one of each, and so on."""
    drawn = sorted(questions, key=lambda one: _draw(adapter, person, one.item))
    met: Counter[str] = Counter()
    turns = []
    for one in drawn:
        turns.append(met[one.cluster])
        met[one.cluster] += 1
    ordered = sorted(range(len(drawn)), key=lambda number: turns[number])  # stable: within a turn as drawn
    return tuple(drawn[number] for number in ordered[:ROUND])


def blind(one: BlindQuestion, adapter: str, person: str) -> BlindPair:
    """The two answers in the order that is drawn for this person."""
    swapped = challenger_is_left(adapter, person, one.item)
    left, right = (one.challenger, one.champion) if swapped else (one.champion, one.challenger)
    return BlindPair(one.item, one.language, one.question_language, one.question, one.reference, left, right)


def preferred(side: Side, adapter: str, person: str, item: str) -> Preferred:
    """Whose answer stood on the side that the person chose."""
    if side == "same":
        return "same"
    return "challenger" if (side == "left") == challenger_is_left(adapter, person, item) else "champion"


def challenger_is_left(adapter: str, person: str, item: str) -> bool:
    """Drawn by promotion, person and question; the order of the questions says nothing about it."""
    return int(_draw(adapter, person, item, "side")[0], 16) < 8


def tally(found: Sequence[Preferred]) -> Tally:
    """Counts."""
    return Tally(*(sum(one == name for one in found) for name in get_args(Preferred)))


def words(found: Tally, language: TextLanguage) -> list[str]:
    """A result in sentences: the counts, the share with its interval, what that shows."""
    counts = {"challenger": found.challenger, "champion": found.champion, "same": found.same}
    told = [text("review.result", language, count=found.preferences + found.same, **counts)]
    if found.share is not None:
        low, high = found.interval
        told.append(text("review.result_share", language, share=found.share, low=low, high=high))
    return [*told, text(f"review.finding_{found.finding}", language)]


def _draw(*names: str) -> str:
    return hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()
