"""Records: one experience each, its tags and status, and parsing of named fields into a record or a reject."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, get_args

from annotated_types import Ge

from bonsai.domain.characters import has_surrogates, normalise, one_line, storable
from bonsai.domain.record_fields import FIELDS
from bonsai.system.defaults import default_section

LANGUAGE_NAMES: dict[str, Literal["ja", "en", "zh", "other"]] = {
    **dict.fromkeys(("ja", "jp", "jpn", "ja-jp", "japanese", "日本語"), "ja"),
    **dict.fromkeys(("en", "eng", "en-us", "en-gb", "english", "英語"), "en"),
    **dict.fromkeys(("zh", "cn", "zho", "zh-cn", "zh-tw", "zh-hans", "zh-hant", "chinese", "中国語", "中文"), "zh"),
    **dict.fromkeys(
        "other ar cs da de el es fi fr he hi hu id it ko nl no pl pt ro ru sv th tr uk vi".split(), "other"
    ),
}
"Names of the answer's language in files. Languages that Bonsai does not distinguish are `other`."

CATEGORY_NAMES: dict[str, str] = {
    **{name: name for name in "open_qa closed_qa classification translation brainstorming creative".split()},
    "question_to_question": "question_to_question",
    "uncategorised": "",
    "uncategorized": "",
    # Dolly's eight (https://huggingface.co/datasets/databricks/databricks-dolly-15k). Dolly classifies by how hard the
    # answer is to find; here by what the reader expects: one right answer from general knowledge is open_qa; one from
    # the given passage is closed_qa, which includes summaries and extraction.
    "general_qa": "open_qa",
    "information_extraction": "closed_qa",
    "summarization": "closed_qa",
    "summarisation": "closed_qa",
    "creative_writing": "creative",
}
"Names of the category in files; empty: to be tagged."


Language = Literal["ja", "en", "zh", "other"]
LANGUAGES: tuple[Language, ...] = ("ja", "en", "zh", "other")
Source = Literal["self", "community", "import", "feedback"]
SOURCES: tuple[Source, ...] = ("self", "community", "import", "feedback")
TagSource = Literal["rule", "learned", "import", "person"]
"Weakest first; a tag is replaced only by an equal or stronger source."


class Category(StrEnum):
    """The kind of answer that a reader expects, whatever its content."""

    OPEN_QA = "open_qa"
    CLOSED_QA = "closed_qa"
    CLASSIFICATION = "classification"
    TRANSLATION = "translation"
    BRAINSTORMING = "brainstorming"
    CREATIVE = "creative"
    QUESTION_TO_QUESTION = "question_to_question"
    UNCATEGORISED = "uncategorised"


class Status(StrEnum):
    """The status of a stored record. Only `active` records train."""

    ACTIVE = "active"
    HELD_BACK = "held_back"
    "A contradiction or contamination, with its reason; waits until a person releases or excludes it."
    SUSPECT = "suspect"
    "New in a night that was refused for harm; does not train until a person releases it."
    EXCLUDED = "excluded"
    "Kept out of training by a person."
    FORGOTTEN = "forgotten"
    "Its texts are erased; its id stays as a tombstone, which blocks a re-import."


PairKind = Literal["contradiction", "overruled", "leak", "suspect", "near"]
PAIR_KINDS: tuple[PairKind, ...] = get_args(PairKind)
"Why a record waits beside another one."
Keep = Literal["this", "other", "both"]
KEEPS: tuple[Keep, ...] = get_args(Keep)
"Which of a pair trains."


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record comes from."""

    name: str
    "A file's name, `form`, `api` or `feedback`."
    line: int = 0
    "1-based line or element of the file; 0 when there is none."

    def __str__(self) -> str:
        return f"{self.name}:{self.line}" if self.line else self.name


@dataclass(frozen=True, slots=True)
class Record:
    """One experience as given; all text is normalised."""

    id: str
    "Hex SHA-256 of the normalised instruction, input and output."
    instruction: str
    input: str
    "The passage or dated experiences that the answer is based on; mostly empty."
    output: str
    origin: Origin
    language: Language | None = None
    "The answer's language as given; None: to be tagged."
    category: Category | None = None
    reasoning: str = ""
    subject: str = ""
    "Whom or what it is about, e.g. the cat's name."
    happened_on: date | None = None
    feeling: str = ""
    source: Source = "import"
    source_name: str = ""
    author: str = ""
    fact: str = ""
    "Optional name of its fact, shared by all paraphrases in all languages."


@dataclass(frozen=True, slots=True)
class Tag:
    """One label with its source and confidence."""

    value: str
    source: TagSource
    confidence: float
    "0 to 1."
    version: str
    "Version of the rules or tagger; for a person, the name."


@dataclass(frozen=True, slots=True)
class Tags:
    """The three labels of every stored record."""

    language: Tag
    category: Tag
    reasoning: Tag


@dataclass(frozen=True, slots=True)
class TableForm:
    """The form of a table, needed to parse a rejected row again."""

    columns: tuple[str, ...]
    "The header's cells."
    delimiter: str


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that could not become a record; kept whole so that a person can repair it."""

    file: str
    line: int
    raw: str
    "At most `RAW_CHARACTERS`."
    reason_key: str
    "Key of the reason's text in `locales`."
    values: tuple[tuple[str, str], ...] = ()
    "Values of that text."
    table: TableForm | None = None
    "For a row of a table; None for JSON, Parquet and forms, whose raw text is JSON."


Characters = Annotated[int, Ge(100)]


@dataclass(frozen=True, slots=True)
class Limits:
    """Maximum lengths; a longer text makes a reject, nothing is truncated."""

    instruction_characters: Characters
    input_characters: Characters
    output_characters: Characters
    note_characters: Characters
    "For each other text field: reasoning, subject, feeling, source_name, author, fact."
    line_bytes: Annotated[int, Ge(10_000)]
    "For one line or element of a file."


@dataclass(frozen=True, slots=True)
class Defaults:
    """Values for fields that a record does not have."""

    source: Source = "import"
    source_name: str = ""
    author: str = ""


LIMITS = Limits(**default_section("records"))
NOTED = ("reasoning", *(one.name for one in FIELDS if one.kind == "note"))
"Short texts."
DEFAULTS = Defaults()
LONGEST_FILE_NAME = 120
"Characters of an uploaded file's own name."
RAW_CHARACTERS = 10_000
"Length of the raw text that a reject keeps."

_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})日?(?:[T ].*)?")


def content_id(instruction: str, input: str, output: str) -> str:
    """Hex SHA-256 of the three texts, normalised. Each ends with a unit separator, which no normalised text holds."""
    return _digest(normalise(instruction), normalise(input), normalise(output))


def _digest(*normalised: str) -> str:
    return hashlib.sha256("".join(f"{part}\x1f" for part in normalised).encode()).hexdigest()


def reasoning_sentence(question_language: Language, answer_language: Language) -> str:
    """The reasoning in the seed project's form: one English sentence that names the answer's language."""
    names = {"ja": "Japanese", "en": "English", "zh": "Chinese", "other": "another language"}
    return f"The question is in {names[question_language]}; answer in {names[answer_language]}."


def reject(origin: Origin, raw: str, reason_key: str, /, **values: object) -> Reject:
    """A reject with at most `RAW_CHARACTERS` of raw text; undecodable bytes become escapes."""
    shown = tuple((name, one_line(str(value))) for name, value in values.items())
    return Reject(origin.name, origin.line, storable(raw[:RAW_CHARACTERS]), reason_key, shown)


class _Refused(Exception):
    """An invalid field; `parse` turns it into a `Reject`."""

    def __init__(self, reason_key: str, /, **values: object) -> None:
        super().__init__(reason_key)
        self.reason_key = reason_key
        self.values = values


def parse(
    fields: Mapping[str, object],
    origin: Origin,
    defaults: Defaults = DEFAULTS,
    limits: Limits = LIMITS,
    raw: str | None = None,
) -> Record | Reject:
    """Parse named fields into a record or a reject. Unknown names are ignored.

    Fields: those of `record_fields`. `raw` is what a reject keeps; without it, the fields as JSON.
    """
    try:
        return _parse(fields, origin, defaults, limits)
    except _Refused as refused:
        kept = raw if raw is not None else json.dumps(dict(fields), ensure_ascii=False, default=str)
        return reject(origin, kept, refused.reason_key, **refused.values)


def _parse(fields: Mapping[str, object], origin: Origin, defaults: Defaults, limits: Limits) -> Record:
    instruction = _text(fields, "instruction", limits.instruction_characters)
    passage = _text(fields, "input", limits.input_characters)
    output = _text(fields, "output", limits.output_characters)
    for name, value in (("instruction", instruction), ("output", output)):
        if not value:
            raise _Refused(f"records.empty_{name}")
    notes = {name: _text(fields, name, limits.note_characters) for name in NOTED if name in fields}
    return Record(
        id=_digest(instruction, passage, output),
        instruction=instruction,
        input=passage,
        output=output,
        origin=origin,
        language=_language(fields),
        category=_category(fields),
        reasoning=notes.get("reasoning", ""),
        subject=notes.get("subject", ""),
        happened_on=_date(fields),
        feeling=notes.get("feeling", ""),
        source=_source(fields) or defaults.source,
        source_name=notes.get("source_name") or defaults.source_name,
        author=notes.get("author") or defaults.author,
        fact=notes.get("fact", ""),
    )


def _text(fields: Mapping[str, object], name: str, limit: int) -> str:
    value = fields.get(name)
    if value is None or value != value:  # NaN: a missing value of pandas
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float, date)):
        raise _Refused("records.not_a_text", field=name, kind=type(value).__name__)
    text = normalise(str(value))
    if has_surrogates(text):
        raise _Refused("records.broken_character", field=name)
    if len(text) > limit:
        raise _Refused("records.too_long", field=name, characters=len(text), limit=limit)
    return text


def _language(fields: Mapping[str, object]) -> Language | None:
    named = _text(fields, "language", 200).lower().replace("_", "-")
    if named and named not in LANGUAGE_NAMES:
        raise _Refused("records.unknown_language", value=named, known=", ".join(LANGUAGES))
    return LANGUAGE_NAMES.get(named)


def _category(fields: Mapping[str, object]) -> Category | None:
    named = re.sub(r"[\s-]+", "_", _text(fields, "category", 200).lower())
    if named and named not in CATEGORY_NAMES:
        raise _Refused("records.unknown_category", value=named, known=", ".join(list(Category)[:-1]))
    value = CATEGORY_NAMES.get(named)
    return Category(value) if value else None


def _source(fields: Mapping[str, object]) -> Source | None:
    named = _text(fields, "source", 200).lower()
    for source in SOURCES:
        if source == named:
            return source
    if named:
        raise _Refused("records.unknown_source", value=named, known=", ".join(SOURCES))
    return None


def _date(fields: Mapping[str, object]) -> date | None:
    written = _text(fields, "happened_on", 200)
    if not written:
        return None
    found = _DATE.fullmatch(written)
    if found:
        with suppress(ValueError):  # 30 February
            return date(*map(int, found.groups()))
    raise _Refused("records.unknown_date", value=written)
