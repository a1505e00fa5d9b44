"""Adapters -> `bonsai.schemas.adapters`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bonsai.errors import IntegrityError
from bonsai.i18n import TextLanguage
from bonsai.queries.adapters import FullAdapter
from bonsai.schemas import adapters as schemas
from storage.tables.adapters_table import LearnedRecord


def adapter_detail(
    found: FullAdapter, problem: IntegrityError | None, language: TextLanguage, *, checked: bool
) -> schemas.AdapterDetail:
    """All that is known of one adapter; whether its files are whole only where they were checked."""
    return schemas.AdapterDetail(**_fields(found, problem, language, checked=checked))


def learned_adapter(
    found: FullAdapter, problem: IntegrityError | None, learned: Sequence[LearnedRecord], language: TextLanguage
) -> schemas.LearnedAdapter:
    """The same with a page of the records that it learned."""
    records = [schemas.LearnedRecord.model_validate(one) for one in learned]
    return schemas.LearnedAdapter(**_fields(found, problem, language, checked=True), learned=records)


def _fields(
    found: FullAdapter, problem: IntegrityError | None, language: TextLanguage, *, checked: bool
) -> dict[str, Any]:
    return {
        **asdict(found.line),
        "manifest": asdict(found.manifest),
        "ancestors": [schemas.Adapter.model_validate(one) for one in found.ancestors],
        "children": list(found.children),
        "files": [schemas.AdapterFile.model_validate(one) for one in found.files],
        "whole": problem is None if checked else None,
        "problem": problem.render(language) if problem else None,
    }
