"""The three labels of every record: the answer's language, the kind of answer, the reasoning sentence.

    tags = tag_batch(records, tagger, threshold=0.65)       # in the records' order
    tags = [merge_tags(old, new) for old, new in zip(stored, tags)]     # tagging again

Given values are kept; the rest is tagged by rule, then by the learned tagger. When a record is tagged again, a
person's tag wins over a file's, and a file's over an automatic one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from bonsai.domain.records import Language, Record, Tag, Tags, reasoning_sentence
from bonsai.ingest.tags.category import CategoryTagger, tag_categories
from bonsai.ingest.tags.language import VERSION as LANGUAGE_VERSION
from bonsai.ingest.tags.language import Guess, guess_answer, guess_question

THRESHOLD = 0.65
"Minimum probability of a learned category."


def tag_batch(
    records: Sequence[Record],
    tagger: CategoryTagger | None,
    *,
    threshold: float = THRESHOLD,
    given_by: Literal["import", "person"] = "import",
    asked: Sequence[Guess] | None = None,
) -> list[Tags]:
    """Tag records, in order. `given_by` is the source of the values that the records already have.

    Batches of a few thousand records are fastest. Without a tagger only rules give categories. `asked` is the language
    of each question, if it was guessed before.
    """
    asked = asked or [guess_question(record.instruction, record.input) for record in records]
    untagged = [i for i, record in enumerate(records) if record.category is None]
    found = tag_categories([records[i] for i in untagged], tagger, threshold)
    categories = dict(zip(untagged, found, strict=True))
    return [_tags(record, asked[i], categories.get(i), given_by) for i, record in enumerate(records)]


def tag(record: Record, tagger: CategoryTagger | None, *, threshold: float = THRESHOLD) -> Tags:
    """Tag one record."""
    return tag_batch([record], tagger, threshold=threshold)[0]


def retag_batch(
    records: Sequence[Record], old: Sequence[Tags], tagger: CategoryTagger | None, *, threshold: float = THRESHOLD
) -> list[Tags]:
    """Tag stored records again with newer rules; imported and personal tags stay."""
    new = tag_batch(records, tagger, threshold=threshold)
    return [merge_tags(before, after) for before, after in zip(old, new, strict=True)]


def _tags(record: Record, asked: Guess, category: Tag | None, given_by: Literal["import", "person"]) -> Tags:
    version = record.author if given_by == "person" else record.source_name or record.origin.name
    given = Tag("", given_by, 1.0, version)
    if record.language:
        spoken, language = record.language, replace(given, value=record.language)
    else:
        found = guess_answer(record.output, record.instruction, asked)
        spoken, language = found.language, Tag(found.language, "rule", found.confidence, LANGUAGE_VERSION)
    if category is None:
        category = replace(given, value=str(record.category))
    reasoning = replace(given, value=record.reasoning) if record.reasoning else reasoning_tag(asked.language, spoken)
    return Tags(language, category, reasoning)


STRENGTH = {"rule": 0, "learned": 1, "import": 2, "person": 3}


def merge_tag(old: Tag | None, new: Tag) -> Tag:
    """The tag that wins: a person's is replaced only by a person's, an automatic one by any newer one.

    `rule` and `learned` are both automatic: a better rule may replace a learned tag.
    """
    if old is None:
        return new
    automatic = STRENGTH["learned"]
    if STRENGTH[old.source] <= automatic and STRENGTH[new.source] <= automatic:
        return new
    return new if STRENGTH[new.source] >= STRENGTH[old.source] else old


def merge_tags(old: Tags | None, new: Tags) -> Tags:
    """`merge_tag` for each of the three."""
    if old is None:
        return new
    return Tags(
        language=merge_tag(old.language, new.language),
        category=merge_tag(old.category, new.category),
        reasoning=merge_tag(old.reasoning, new.reasoning),
    )


REASONING_VERSION = "reasoning-1"


def question_language(record: Record) -> Language:
    """The language of the question."""
    return guess_question(record.instruction, record.input).language


def reasoning_tag(question_language: Language, answer_language: Language) -> Tag:
    """The seed project's sentence, for a record without reasoning of its own."""
    return Tag(reasoning_sentence(question_language, answer_language), "rule", 1.0, REASONING_VERSION)
