"""The home's category tagger: trained on the bundled samples and on people's tags, stored as a file."""

from __future__ import annotations

import json

from bonsai import samples
from bonsai.context import Bonsai
from bonsai.domain.records import Category
from bonsai.errors import IntegrityError
from bonsai.ingest.tags.category import FORMAT, CategoryTagger, Example
from bonsai.system.files import sha256_file, sha256_json
from storage.connect import Connection
from storage.tables import records_table

SAMPLES = "experience.jsonl"
MAX_TRAINING_RECORDS = 2_000
"Newest stored records to train on; more is slower, not better (6,000 take some twenty seconds)."


def category_tagger(b: Bonsai) -> CategoryTagger:
    """The home's tagger; trained if there is none yet."""
    path = b.home / f"tagger-{_samples_digest()}.npz"
    try:
        return CategoryTagger.load(path)
    except (FileNotFoundError, IntegrityError):
        made = CategoryTagger.fit(*_samples())
        made.save(path)
        return made


def learn_tagger(b: Bonsai) -> CategoryTagger:
    """Train a new tagger, including categories given by people and files in this home."""
    examples, categories = _samples()
    with b.database.reading() as con:
        for example, category in _stored(con):
            examples.append(example)
            categories.append(category)
    made = CategoryTagger.fit(examples, categories)
    made.save(b.home / f"tagger-{_samples_digest()}.npz")
    return made


def _samples_digest() -> str:
    return sha256_json([FORMAT, sha256_file(samples.sample_path(SAMPLES))])[:8]


def _samples() -> tuple[list[Example], list[Category]]:
    rows = [json.loads(line) for line in samples.sample_path(SAMPLES).read_text("utf-8").splitlines()]
    examples = [Example(row["instruction"], bool(row["input"]), row["output"]) for row in rows]
    return examples, [Category(row["category"]) for row in rows]


def _stored(con: Connection) -> list[tuple[Example, Category]]:
    categorised = records_table.newest_categorised(con, MAX_TRAINING_RECORDS)
    return [(Example.of(one.record), Category(one.tags.category.value)) for one in categorised]
