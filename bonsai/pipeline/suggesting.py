"""What Bonsai would tag a record that is still being written, so that its author can say otherwise at once."""

from __future__ import annotations

from collections.abc import Mapping

from bonsai import tags
from bonsai.errors import IntegrityError
from bonsai.pipeline.parts import Bonsai
from bonsai.records import Origin, Record, Tags, parse
from bonsai.tags import CategoryTagger


def suggest_tags(b: Bonsai, fields: Mapping[str, str], tagger: CategoryTagger | None) -> Tags | None:
    """None while question and answer make no record yet. Without a tagger the rules alone speak."""
    texts = {name: fields.get(name, "") for name in ("instruction", "input", "output")}
    record = parse(texts, Origin("form"))
    if not isinstance(record, Record):
        return None
    return tags.tag(record, tagger, threshold=b.config.tags.category_threshold)


def learned_before(b: Bonsai) -> CategoryTagger | None:
    """The home's tagger if there is one; unlike `category_tagger` it never learns, which takes seconds."""
    made = sorted(b.home.glob("tagger-*.npz"), key=lambda path: path.stat().st_mtime_ns)
    try:
        return CategoryTagger.load(made[-1]) if made else None
    except (FileNotFoundError, IntegrityError):
        return None
