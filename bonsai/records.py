"""One experience: a question and its answer, as its owner told it.

`Record` is what every later stage works on. It is made from the strings of a file or a form by
`parse`, which normalises (NFKC, line ends, surrounding space) and validates; its `id` is the SHA-256 of
the normalised text fields, so the same experience told twice is one record.

The three text fields are Stanford Alpaca's: https://github.com/tatsu-lab/stanford_alpaca#data-release
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

Language = Literal["ja", "en", "zh", "other"]
LANGUAGES: tuple[Language, ...] = ("ja", "en", "zh", "other")
Source = Literal["self", "community", "import", "feedback"]
TagSource = Literal["rule", "learned", "import", "person"]
"Weakest first; a tag is replaced only by one of an equal or stronger source."


class Category(StrEnum):
    """What kind of answer the reader of the answer expects; the content does not matter."""

    OPEN_QA = "open_qa"
    CLOSED_QA = "closed_qa"
    CLASSIFICATION = "classification"
    TRANSLATION = "translation"
    BRAINSTORMING = "brainstorming"
    CREATIVE = "creative"
    QUESTION_TO_QUESTION = "question_to_question"
    UNCATEGORISED = "uncategorised"


class Status(StrEnum):
    """Where a stored record stands. Only `active` records train."""

    ACTIVE = "active"
    HELD_BACK = "held_back"
    "A contradiction or a leak into the benchmark: visible, with its reason, until a person releases or excludes it."
    SUSPECT = "suspect"
    "New in a night that was refused for harm; out of snapshots until a person releases or excludes it."
    EXCLUDED = "excluded"
    "A person keeps it out of training."
    FORGOTTEN = "forgotten"
    "Its texts are gone; the tombstone (its id) keeps a re-import from bringing it back."


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record came from."""

    name: str
    "A file's name, `form`, `api` or `feedback`."
    line: int = 0
    "1-based line or element of the file; 0 when there is none."


@dataclass(frozen=True, slots=True)
class Record:
    """One experience. All text is normalised; nothing here was guessed."""

    id: str
    "Hex SHA-256 of the normalised instruction, input and output."
    instruction: str
    input: str
    "A passage or dated experiences that the answer rests on; empty for most."
    output: str
    origin: Origin
    language: Language | None = None
    "The answer's language as the file or the person gave it; None: to be tagged."
    category: Category | None = None
    reasoning: str = ""
    subject: str = ""
    "About whom, e.g. the cat's name."
    happened_on: date | None = None
    feeling: str = ""
    source: Source = "import"
    source_name: str = ""
    author: str = ""
    fact: str = ""
    "Optional name of the fact that this record tells: wordings and languages of one fact share it."


@dataclass(frozen=True, slots=True)
class Tag:
    """One automatic, imported or personal label."""

    value: str
    source: TagSource
    confidence: float
    "0 to 1."
    version: str
    "Version of the rules or the learned tagger that gave it; the person's name for a person."


@dataclass(frozen=True, slots=True)
class Tags:
    """The three labels that every stored record carries."""

    language: Tag
    category: Tag
    reasoning: Tag


@dataclass(frozen=True, slots=True)
class Reject:
    """What could not become a record; kept whole so that a person can mend it."""

    file: str
    line: int
    raw: str
    "The raw text, at most 10,000 characters of it."
    reason_key: str
    "Key of the reason's text in `locales`."
    values: tuple[tuple[str, str], ...] = ()
    "Values of that text."
