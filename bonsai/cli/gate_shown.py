"""How used up the confirmation pool is, and how far the owner's suite is from deciding: two fields under a night."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bonsai.texts import TextLanguage, text


def gate_fields(gate: Mapping[str, Any], language: TextLanguage) -> Iterator[tuple[str, str]]:
    """Field and words; nothing for a night that judged nothing."""
    if not gate:
        return
    opened = text(
        "suite.pool_opened", language, openings=gate["openings"], limit=gate["openings_before_rotation"]
    )  # fmt: skip
    yield "pools", f"{opened}; {text('suite.dealt_anew', language)}" if gate["dealt_anew"] else opened
    yield "suite", suite_words(gate["suite_clusters"], gate["min_clusters"], gate["suite_version"], language)


def suite_words(facts: int, needed: int, version: str, language: TextLanguage) -> str:
    """`12 of 30 facts: 18 more until it can decide (version 0a1b2c3d)`; a dash for no suite."""
    if not version:
        return "-"
    missing = max(needed - facts, 0)
    decides = text("suite.decides_not" if missing else "suite.decides", language, missing=missing)
    return text("suite.state_of_night", language, facts=facts, needed=needed, decides=decides, version=version[:8])
