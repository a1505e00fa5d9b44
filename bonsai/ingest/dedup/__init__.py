"""Deduplication: exact and near duplicates, contradictions, benchmark contamination, and paraphrases of one fact."""

from __future__ import annotations

from bonsai.domain.records import Record, Tags
from bonsai.ingest.dedup.contamination import Contamination
from bonsai.ingest.dedup.index import DuplicateFinding, IndexedRecord, question_key


def to_indexed(record: Record, tags: Tags, *, active: bool = True) -> IndexedRecord:
    """A new record as the index compares it; `active` is False for one that is held back for another reason."""
    return IndexedRecord(
        id=record.id,
        instruction=record.instruction,
        input=record.input,
        output=record.output,
        language=tags.language.value,
        category=tags.category.value,
        fact=record.fact,
        active=active,
        correction=record.source == "feedback",
        question_key=question_key(record.instruction, record.input),
    )


def held_back_reason(finding: DuplicateFinding, contamination: Contamination) -> tuple[str, dict[str, str]] | None:
    """Text key and values of the reason to hold a record back; None when there is none."""
    if contamination.contaminated:
        return "duplicates.leak", {"items": ", ".join(contamination.contaminated)}
    if finding.contradicts:
        shown = ", ".join(id[:12] for id in finding.contradicts)
        return "duplicates.contradiction", {"records": shown, "ids": " ".join(finding.contradicts)}
    return None
