"""The reasoning of a record: in the seed project's form, one English sentence that names the answer's language.

`The question is in Japanese; answer in Japanese.` A record's own reasoning is kept as it is.
"""

from __future__ import annotations

from bonsai.domain.records import Language, Record, Tag, reasoning_sentence
from bonsai.ingest.tags.language import guess_question

VERSION = "reasoning-1"


def question_language(record: Record) -> Language:
    """The language of the question."""
    return guess_question(record.instruction, record.input).language


def reasoning_tag(question_language: Language, answer_language: Language) -> Tag:
    """The sentence for a record that has no reasoning of its own."""
    return Tag(reasoning_sentence(question_language, answer_language), "rule", 1.0, VERSION)
