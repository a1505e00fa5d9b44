"""The invented households of `benchmarks/owners/`: records, paraphrases that no training sees, unanswerable questions.

    owner = read("pepper").first(20)      # its first twenty records

Pure but for reading the file. The format is described in `benchmarks/owners/README.md`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from bonsai.system.json_values import from_values

FOLDER = Path(__file__).parent / "owners"
TUNING = ("mike", "biscuit", "hinata", "allotment", "satomiller", "daidokoro")
"A recipe, a prompt or a retriever may be tuned on these."
MEASURING = ("shiro", "pepper", "hatake", "twins", "workshop", "larder")
"Nothing was tuned on these."
OWNERS = (*TUNING, *MEASURING)


@dataclass(frozen=True, slots=True)
class Fact:
    """A record, and how it is asked for."""

    instruction: str
    output: str
    subject: str
    "Whom or what it is about; may be empty."
    happened_on: str
    "ISO date; may be empty."
    paraphrases: tuple[str, ...]
    accepted: tuple[tuple[str, ...], ...]
    "A right answer states one value of every group."
    wrong: tuple[str, ...]
    answer_language: str
    "ja or en."

    @property
    def questions(self) -> tuple[str, ...]:
        """All wordings of its question."""
        return (self.instruction, *self.paraphrases)


@dataclass(frozen=True, slots=True)
class Unanswerable:
    """A question that no record of the household answers."""

    unanswerable: str
    subject: str


@dataclass(frozen=True, slots=True)
class Owner:
    """A household."""

    household: str
    languages: tuple[str, ...]
    about: str
    facts: tuple[Fact, ...] = ()
    "In the order in which they were written down."
    unanswerable: tuple[Unanswerable, ...] = ()

    def first(self, count: int) -> Owner:
        """Cut to the first `count` facts and as many unanswerable questions."""
        return replace(self, facts=self.facts[:count], unanswerable=self.unanswerable[:count])


def read(name: str, folder: Path = FOLDER) -> Owner:
    """A household. Raises FileNotFoundError without its file, ValueError for a line of another form."""
    head, *lines = map(json.loads, (folder / f"{name}.jsonl").read_text("utf-8").splitlines())
    return replace(
        from_values(Owner, head),
        facts=tuple(from_values(Fact, line) for line in lines if "instruction" in line),
        unanswerable=tuple(from_values(Unanswerable, line) for line in lines if "unanswerable" in line),
    )


def language_of(text: str) -> str:
    """The language of a question of these households: ja if it has a Japanese character, else en."""
    return "ja" if any("\u3040" <= character <= "\u9fff" for character in text) else "en"
