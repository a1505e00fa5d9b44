"""Stored benchmark reports: which of them belong together."""

from __future__ import annotations

from pathlib import Path

from bonsai.errors import BenchmarkError
from bonsai.evaluate import report
from bonsai.evaluate.compare import ReportPair
from bonsai.evaluate.report import Report
from bonsai.gate.rules import SAME


def stored(folder: Path, adapter: str, sheet: str) -> list[Report]:
    """Every readable report of an adapter on a sheet, the newest first; torn ones are made again when needed."""
    found = []
    for path in folder.glob(f"{adapter}-{sheet.replace('/', '-')}-*.json"):
        try:
            found.append(report.read(path))
        except BenchmarkError:
            continue
    return sorted((one for one in found if one.benchmark == sheet), key=lambda one: one.created_at, reverse=True)


def pair(folder: Path, left: str, right: str, sheet: str, items_hash: str = "") -> ReportPair | None:
    """The newest two that were asked the same in the same way; `items_hash` says what they must have been asked."""
    wanted = [one for one in stored(folder, left, sheet) if items_hash in ("", one.items_hash)]
    others = stored(folder, right, sheet)
    pairs = (ReportPair(one, other) for one in wanted for other in others if alike(one, other))
    return next(pairs, None)


def alike(one: Report, other: Report) -> bool:
    """Two reports that may be compared."""
    return all(getattr(one, name) == getattr(other, name) for name in SAME)
