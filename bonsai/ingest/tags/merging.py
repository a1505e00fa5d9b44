"""Who wins when a record is tagged again: a person over a file, a file over the learned tagger, that over a rule."""

from __future__ import annotations

from bonsai.domain.records import Tag, Tags

STRENGTH = {"rule": 0, "learned": 1, "import": 2, "person": 3}


def merge_tag(old: Tag | None, new: Tag) -> Tag:
    """The tag that stands. A person's is replaced only by a person's; what a tagger said, by any tagger's newer word.

    `rule` and `learned` are both automatic: a better rule may replace what an older tagger had learned.
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
