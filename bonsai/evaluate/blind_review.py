"""Blind pairwise review: a person prefers one of two answers without knowing which model gave which.

Asked are answers whose correctness changed, and changed answers without a single right answer, which no rule of the
gate can judge. A round has at most `ROUND` questions on as many facts as there are. Its length is fixed before the
first verdict (no optional stopping). Question order and answer positions are drawn by promotion and person: stable
across breaks, independent between persons.

The result is the challenger's share of preferences, ties left out, with its exact interval: the sign test (Dixon &
Mood 1946). Blinding and random order against position bias: Zheng et al. 2023, https://arxiv.org/abs/2306.05685,
section 3.3.
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
    """A question with both models' answers."""

    item: str
    cluster: str
    "The fact that is asked about; another paraphrase of it adds little."
    language: str
    "Language of the answer."
    question_language: str
    question: str
    reference: str
    champion: str
    challenger: str


@dataclass(frozen=True, slots=True)
class BlindPair:
    """A question as the person sees it; nothing reveals which model gave which answer."""

    item: str
    language: str
    "Language of the answers."
    question_language: str
    question: str
    reference: str
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Tally:
    """One person's preferences."""

    challenger: int
    champion: int
    same: int

    @property
    def preferences(self) -> int:
        """Number of verdicts without ties."""
        return self.challenger + self.champion

    @property
    def share(self) -> float | None:
        """Challenger's share of the preferences; None without any."""
        return self.challenger / self.preferences if self.preferences else None

    @property
    def interval(self) -> tuple[float, float]:
        """Exact 95 % interval of that share."""
        return exact_interval(self.challenger, self.preferences)

    @property
    def finding(self) -> Finding:
        """Which model is shown to be preferred."""
        low, high = self.interval
        return "challenger" if low > 0.5 else "champion" if high < 0.5 else "unclear"


def round_of(questions: Sequence[BlindQuestion], adapter: str, person: str) -> tuple[BlindQuestion, ...]:
    """This person's round in order: one question per fact, then second ones, and so on."""
    drawn = sorted(questions, key=lambda one: _draw(adapter, person, one.item))
    met: Counter[str] = Counter()
    turns = []
    for one in drawn:
        turns.append(met[one.cluster])
        met[one.cluster] += 1
    ordered = sorted(range(len(drawn)), key=lambda number: turns[number])  # stable: keeps the drawn order within a turn
    return tuple(drawn[number] for number in ordered[:ROUND])


def blind(one: BlindQuestion, adapter: str, person: str) -> BlindPair:
    """The two answers in the order drawn for this person."""
    swapped = challenger_is_left(adapter, person, one.item)
    left, right = (one.challenger, one.champion) if swapped else (one.champion, one.challenger)
    return BlindPair(one.item, one.language, one.question_language, one.question, one.reference, left, right)


def preferred(side: Side, adapter: str, person: str, item: str) -> Preferred:
    """The model whose answer was on the chosen side."""
    if side == "same":
        return "same"
    return "challenger" if (side == "left") == challenger_is_left(adapter, person, item) else "champion"


def challenger_is_left(adapter: str, person: str, item: str) -> bool:
    """Drawn by promotion, person and question, independently of the question order."""
    return int(_draw(adapter, person, item, "side")[0], 16) < 8


def tally(found: Sequence[Preferred]) -> Tally:
    """Count preferences."""
    return Tally(*(sum(one == name for one in found) for name in get_args(Preferred)))


def words(found: Tally, language: TextLanguage) -> list[str]:
    """The result in sentences: counts, share with interval, conclusion."""
    counts = {"challenger": found.challenger, "champion": found.champion, "same": found.same}
    sentences = [text("review.result", language, count=found.preferences + found.same, **counts)]
    if found.share is not None:
        low, high = found.interval
        sentences.append(text("review.result_share", language, share=found.share, low=low, high=high))
    return [*sentences, text(f"review.finding_{found.finding}", language)]


def _draw(*names: str) -> str:
    return hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()
