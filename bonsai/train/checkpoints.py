"""Verified checkpoints: each gets a marker with the plan's and all files' hashes, written last.

transformers writes a checkpoint file by file, and a kill leaves a folder that looks complete. A training resumes only
from a checkpoint whose marker matches the plan and every file; the others are removed.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from bonsai.system.files import sha256_file, sha256_json, write_json_atomic
from bonsai.system.json_values import to_values
from bonsai.train.plan import TrainingPlan

MARKER = "bonsai_checkpoint.json"


def plan_hash(plan: TrainingPlan) -> str:
    """SHA-256 of all that decides a training's outcome; the time of planning, the folders and the parts of a batch
    do not."""
    placeless = replace(plan, created_at="", snapshot_folder="", run_folder="", adapters_folder="", batch_parts=1)
    return sha256_json(to_values(placeless))


def mark_complete(checkpoint: Path, plan: TrainingPlan) -> None:
    """Write the marker of a complete checkpoint."""
    write_json_atomic(checkpoint / MARKER, {"plan": plan_hash(plan), "files": _hashes(checkpoint)})


def last_complete(folder: Path, plan: TrainingPlan) -> Path | None:
    """The newest complete checkpoint of this plan; removes incomplete ones and those of other plans."""
    found: dict[int, Path] = {}
    for checkpoint in folder.glob("checkpoint-*"):
        if _is_whole(checkpoint, plan):
            found[int(checkpoint.name.rpartition("-")[2])] = checkpoint
        else:
            shutil.rmtree(checkpoint)
    return found[max(found)] if found else None


def _is_whole(checkpoint: Path, plan: TrainingPlan) -> bool:
    try:
        marker: dict[str, Any] = json.loads((checkpoint / MARKER).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return marker == {"plan": plan_hash(plan), "files": _hashes(checkpoint)}


def _hashes(checkpoint: Path) -> dict[str, str]:
    files = sorted(file for file in checkpoint.iterdir() if file.is_file() and file.name != MARKER)
    return {file.name: sha256_file(file) for file in files}
