"""Personal evaluation set: items made from the owner's own records, so that the gate sees what *this* owner taught.

Of every own fact with three or more paraphrases, and of every correction with its question, one paraphrase is held out
from training and becomes a frozen item before the night. A hash picks it, so the same records give the same set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bonsai.domain.records import Record, Tags
from bonsai.evaluate.questions import Item
from bonsai.ingest.dedup.paraphrases import ParaphraseGroup

MIN_PARAPHRASES = 3
"Two paraphrases must be left to train; a fact with fewer would lose too much."
MIN_CORRECTED_PARAPHRASES = 2
"A correction comes with the question that was asked and the one that was meant; one is left to train."
LANGUAGES = ("ja", "en")
"Only these have a guard and a margin in the gate."
WRITTEN = "written/"
"Id prefix of questions that the owner wrote; items from records have `own/`."
POOL = "owner"
DOMAIN = "own"


@dataclass(frozen=True, slots=True)
class HeldOutParaphrase:
    """A record that becomes an item instead of training."""

    record_id: str
    cluster: str
    "The fact: shared by its paraphrases and, where the records name it, by both languages."


def hold_out_paraphrases(
    groups: Sequence[ParaphraseGroup],
    taken: frozenset[str] = frozenset(),
    *,
    known: frozenset[tuple[str, str]] = frozenset(),
    corrections: frozenset[str] = frozenset(),
    learned: frozenset[str] = frozenset(),
) -> tuple[HeldOutParaphrase, ...]:
    """Hold out one paraphrase of each large enough group without an item. Idempotent.

    `taken`: records that are items already. `known`: (cluster, language) of every item, for groups whose held-out
    record is gone. `corrections`: records that correct an answer. `learned`: records that an adapter was trained on;
    other paraphrases are preferred, since an item that a model was trained on cannot judge it.
    """
    return tuple(
        HeldOutParaphrase(_pick(group.record_ids, learned), group.key)
        for group in groups
        if group.language in LANGUAGES
        and len(group.record_ids)
        >= (MIN_CORRECTED_PARAPHRASES if corrections.intersection(group.record_ids) else MIN_PARAPHRASES)
        and not taken.intersection(group.record_ids)
        and (group.key, group.language) not in known
    )


def _pick(record_ids: Iterable[str], learned: frozenset[str]) -> str:
    """The paraphrase with the smallest hash, untrained ones first; authors could steer the ids, hashes of texts."""
    return min(record_ids, key=lambda one: (one in learned, hashlib.sha256(f"suite {one}".encode()).hexdigest()))


def is_written(item_id: str) -> bool:
    """Whether the owner wrote this question; it stems from no record."""
    return item_id.startswith(WRITTEN)


def written_id(instruction: str, input: str) -> str:
    """The same question has the same id, whatever its answer."""
    return WRITTEN + hashlib.sha256(f"{instruction}\0{input}".encode()).hexdigest()[:16]


def item_of(record: Record, tags: Tags, question_language: str, cluster: str) -> Item:
    """Item that asks what the record states; only the record's answer is right."""
    return Item(
        id=f"own/{record.id[:16]}",
        pool=POOL,
        cluster=cluster,
        domain=DOMAIN,
        category=tags.category.value,
        language=tags.language.value,
        question_language=question_language,
        instruction=record.instruction,
        input=record.input,
        reference=record.output,
        accepted=(),
    )


def written_item(
    record: Record, tags: Tags, question_language: str, cluster: str, accepted: tuple[str, ...]
) -> Item:  # fmt: skip
    """Item from a question that the owner wrote; `accepted` are further right answers."""
    item = item_of(record, tags, question_language, cluster)
    return replace(item, id=written_id(record.instruction, record.input), accepted=accepted)
