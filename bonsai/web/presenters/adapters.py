"""Presenter of the adapter pages."""

from __future__ import annotations

from dataclasses import dataclass

from bonsai.queries.adapters import AdapterSummary, FullAdapter
from bonsai.train.manifest import AdapterManifest
from bonsai.web.presenters.records import shorten
from bonsai.web.request import Visit
from storage.tables.adapters_table import LearnedRecord

Pairs = list[tuple[str, str]]
HASHES = ("base_hash", "tokenizer_hash", "template_digest", "snapshot_hash")


@dataclass(frozen=True, slots=True)
class AdapterRow:
    """One adapter."""

    line: AdapterSummary
    size: str
    state: str


@dataclass(frozen=True, slots=True)
class LearnedRow:
    """A record that it was trained on."""

    record: LearnedRecord
    question: str
    happened_on: str


def row(visit: Visit, line: AdapterSummary) -> AdapterRow:
    """Row of the list and of the lineage."""
    state = visit.text(f"promotion.state_{line.state}") if line.state else visit.text("adapters.unjudged")
    return AdapterRow(line, in_units(line.size), state)


def in_units(size: int) -> str:
    """Bytes in human-readable units."""
    for unit, length in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)):
        if size >= length:
            return f"{size / length:.1f} {unit}"
    return f"{size} B"


def passport_rows(visit: Visit, passport: AdapterManifest) -> Pairs:
    """What the adapter was made from; hashes last, in full."""
    told = (
        ("base", passport.base_name),
        ("revision", passport.base_revision),
        ("template", passport.template),
        ("profile", str(passport.plan.get("profile", ""))),
        ("seed", str(passport.seed)),
        ("device", str(passport.plan.get("device", ""))),
        ("snapshot", passport.snapshot_id),
        ("versions", _listed(passport.versions)),
        ("measured", _listed({name: f"{value:g}" for name, value in passport.measured.items()})),
        *((name, str(getattr(passport, name))) for name in HASHES),
    )
    return [(visit.text(f"adapters.{name}"), value) for name, value in told if value]


def _listed(values: object) -> str:
    pairs = dict(values) if isinstance(values, dict) else {}
    return ", ".join(f"{name} {value}" for name, value in sorted(pairs.items()))


def recipe_rows(passport: AdapterManifest) -> Pairs:
    """Resolved plan: every value by setting name."""
    recipe = passport.plan.get("recipe", {})
    return [(name, str(value)) for name, value in recipe.items()] if isinstance(recipe, dict) else []


def file_rows(found: FullAdapter) -> list[tuple[str, str, str]]:
    """(name, size, SHA-256); empty size if the file is missing."""
    return [(one.name, in_units(one.size) if one.size else "", one.sha256) for one in found.files]


def learned_row(visit: Visit, one: LearnedRecord) -> LearnedRow:
    """One record."""
    return LearnedRow(one, shorten(one.instruction), one.happened_on.isoformat() if one.happened_on else "")
