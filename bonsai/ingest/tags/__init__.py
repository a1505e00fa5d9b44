"""The three labels of every record: the answer's language, the kind of answer, the reasoning sentence.

    tags = tag_batch(records, tagger, threshold=0.65)       # in the records' order
    tags = [merge_tags(old, new) for old, new in zip(stored, tags)]     # tagging again

What a file or a person gave is taken as it is; the rest is found by rule, then by the learned tagger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from bonsai.domain.records import Record, Tag, Tags
from bonsai.ingest.tags.category import CategoryTagger, tag_categories
from bonsai.ingest.tags.language import VERSION as LANGUAGE_VERSION
from bonsai.ingest.tags.language import Guess, guess_answer, guess_question
from bonsai.ingest.tags.merging import merge_tags
from bonsai.ingest.tags.reasoning import reasoning_tag

THRESHOLD = 0.65
"Probability from which the learned tagger's category is taken."


def tag_batch(
    records: Sequence[Record],
    tagger: CategoryTagger | None,
    *,
    threshold: float = THRESHOLD,
    given_by: Literal["import", "person"] = "import",
    asked: Sequence[Guess] | None = None,
) -> list[Tags]:
    """Tag records, in order. `given_by` says whose the values are that the records already carry.

    A batch of some thousand records is fastest. Without a tagger only rules give categories. `asked` is the language
    of each question, where it was guessed before.
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
    """Tag stored records again: newer rules speak, imported and personal tags stay."""
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
