"""Told before? Exact, near, contradicting, leaking into the benchmark; and which records are wordings of one fact."""

from __future__ import annotations

from bonsai.domain.records import Record, Tags
from bonsai.ingest.dedup.contamination import Contamination
from bonsai.ingest.dedup.index import DuplicateFinding, IndexedRecord, question_key


def known(record: Record, tags: Tags, *, active: bool = True) -> IndexedRecord:
    """A new record as the index compares it; `active` is False for one that is held back whatever the index says."""
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


def held_back_reason(finding: DuplicateFinding, leak: Contamination) -> tuple[str, dict[str, str]] | None:
    """Key and values of the reason why a record is held back; None when nothing speaks against it."""
    if leak.leaks:
        return "duplicates.leak", {"items": ", ".join(leak.leaks)}
    if finding.contradicts:
        shown = ", ".join(id[:12] for id in finding.contradicts)
        return "duplicates.contradiction", {"records": shown, "ids": " ".join(finding.contradicts)}
    return None
