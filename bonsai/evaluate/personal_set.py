"""The owner's suite: questions made of the owner's own records: the gate sees what *this* owner taught.

Of every own fact with three or more wordings, and of every correction beside its question, one wording never trains:
it becomes a frozen item before the night. Which one is decided by hash, so the same records give the same suite.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bonsai.domain.records import Record, Tags
from bonsai.evaluate.questions import Item
from bonsai.ingest.dedup.paraphrases import ParaphraseGroup

MIN_PARAPHRASES = 3
"A fact with fewer would lose too much of what teaches it: two wordings must be left to train."
MIN_CORRECTED_PARAPHRASES = 2
"A correction comes as the question that was asked and the one that was meant; one of them is left to train."
LANGUAGES = ("ja", "en")
"Only these have a guard and a margin in the gate."
WRITTEN = "written/"
"Ids of questions that the owner wrote for the benchmark begin so; those of the owner's records with `own/`."
POOL = "owner"
DOMAIN = "own"


@dataclass(frozen=True, slots=True)
class HeldOutParaphrase:
    """One record that becomes an item instead of training."""

    record_id: str
    cluster: str
    "The fact: shared by its wordings and, where the records name it, by its languages."


def choose(
    groups: Sequence[ParaphraseGroup],
    taken: frozenset[str] = frozenset(),
    *,
    known: frozenset[tuple[str, str]] = frozenset(),
    corrections: frozenset[str] = frozenset(),
    learned: frozenset[str] = frozenset(),
) -> tuple[HeldOutParaphrase, ...]:
    """One wording of each group that is large enough and has no item yet; choosing again adds nothing.

    `taken`: records that are items already. `known`: (cluster, language) of every item, for groups that no longer show
    the record taken from them. `corrections`: records that correct an answer. `learned`: records that an adapter was
    trained on: another wording is taken where there is one, since an item that a model trained on cannot judge it.
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
    """The wording with the smallest hash; unlearned ones first. The ids are hashes, but of a text its author chose."""
    return min(record_ids, key=lambda one: (one in learned, hashlib.sha256(f"suite {one}".encode()).hexdigest()))


def is_written(item_id: str) -> bool:
    """The owner wrote this question for the benchmark; no record told it."""
    return item_id.startswith(WRITTEN)


def written_id(instruction: str, input: str) -> str:
    """One question has one id, whatever its answer."""
    return WRITTEN + hashlib.sha256(f"{instruction}\0{input}".encode()).hexdigest()[:16]


def item_of(record: Record, tags: Tags, question_language: str, cluster: str) -> Item:
    """The benchmark item that asks what the record tells; only its own answer is right."""
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
    """A question that the owner wrote, parsed as a record; `accepted` are further right answers."""
    item = item_of(record, tags, question_language, cluster)
    return replace(item, id=written_id(record.instruction, record.input), accepted=accepted)
