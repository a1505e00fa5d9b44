"""What nights leave in the home's folders, without the texts of forgotten records. Every function is safe to repeat.

    snapshots/<id>/             the rows and their manifest go, a note stays; which records it held, the database knows
    runs/<night>/checkpoints/   of a training on such a snapshot: it could never be taken up again
    runs/<night>/job.json       without the items of the owner's suite that were made of them
    reports/                    jobs that hold such items go; in reports their answers are emptied, the scores stay

Adapters stay: what they learned cannot be erased from weights, so they are marked and replaced by a cold night.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

from bonsai.domain.snapshots import MANIFEST, RECORDS
from bonsai.system.files import write_json_atomic

NOTE = "forgotten.json"
"In a snapshot's folder: why there is nothing else."


def erase_snapshot(folder: Path, at: datetime) -> bool:
    """Leave nothing but a note; whether there was anything to erase."""
    parts = [folder / name for name in (MANIFEST, RECORDS)]  # the manifest first: without it nothing else counts
    there = [path for path in parts if path.exists()]
    if there:
        write_json_atomic(folder / NOTE, {"id": folder.name, "erased_at": at.isoformat()})
    for path in there:
        path.unlink()
    return bool(there)


def erase_runs(runs: Path, snapshots: Collection[str], items: Collection[str]) -> None:
    """Checkpoints of trainings on these snapshots, and these items of the jobs' suites."""
    for path in runs.glob("*/job.json"):
        job = json.loads(path.read_text("utf-8"))
        if job["plan"]["snapshot_id"] in snapshots:
            shutil.rmtree(path.parent / "checkpoints", ignore_errors=True)
        kept = [one for one in job["suite"] if one["id"] not in items]
        if len(kept) < len(job["suite"]):
            write_json_atomic(path, {**job, "suite": kept})


def erase_reports(reports: Path, items: Collection[str]) -> None:
    """What was asked and answered about these items."""
    if not items:
        return
    for path in (reports / "jobs").glob("*.json"):
        sheets = json.loads(path.read_text("utf-8"))["sheets"]
        if any(item["id"] in items for sheet in sheets for item in sheet["items"]):
            path.unlink()
    for path in reports.glob("*.json"):
        report = json.loads(path.read_text("utf-8"))
        named = [one for one in report.get("items", ()) if one["id"] in items]
        for one in named:
            _empty_answers(one)
        if named:
            write_json_atomic(path, report)


def _empty_answers(result: dict[str, Any]) -> None:
    for answer in (result["free"], result["forced"]):
        if answer:
            answer["response"] = ""
