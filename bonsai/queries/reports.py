"""Stored benchmark reports, and pairs of them that may be compared."""

from __future__ import annotations

from pathlib import Path

from bonsai.errors import BenchmarkError
from bonsai.evaluate import report
from bonsai.evaluate.compare import ReportPair
from bonsai.evaluate.report import Report
from bonsai.gate.rules import SAME


def stored_reports(folder: Path, adapter: str, sheet: str) -> list[Report]:
    """Readable reports of an adapter on a question set, newest first.

    Damaged ones are skipped; they are rebuilt on demand.
    """
    found = []
    for path in folder.glob(f"{adapter}-{sheet.replace('/', '-')}-*.json"):
        try:
            found.append(report.read(path))
        except BenchmarkError:
            continue
    return sorted((one for one in found if one.benchmark == sheet), key=lambda one: one.created_at, reverse=True)


def newest_pair(folder: Path, left: str, right: str, sheet: str, items_hash: str = "") -> ReportPair | None:
    """The newest two comparable reports; with `items_hash`, only those with these items."""
    wanted = [one for one in stored_reports(folder, left, sheet) if items_hash in ("", one.items_hash)]
    others = stored_reports(folder, right, sheet)
    pairs = (ReportPair(one, other) for one in wanted for other in others if comparable(one, other))
    return next(pairs, None)


def comparable(one: Report, other: Report) -> bool:
    """Whether two reports may be compared: same items, same settings."""
    return all(getattr(one, name) == getattr(other, name) for name in SAME)
