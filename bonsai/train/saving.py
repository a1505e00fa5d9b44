"""Heavy: saves a trained model as an adapter folder: verified, hashed, manifest last, renamed into place."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

from bonsai.errors import IntegrityError, TrainingError
from bonsai.model.bases import model_folder, weights_hash
from bonsai.model.encoding import Encoder
from bonsai.model.hf import LoadedBase
from bonsai.model.native import template_of
from bonsai.system.files import sync_folder, write_atomic, write_json_atomic
from bonsai.system.json_values import to_values
from bonsai.train.manifest import (
    AdapterManifest,
    adapter_id,
    file_hashes,
    library_versions,
    read_manifest,
    write_manifest,
)
from bonsai.train.plan import AdapterFolder, TrainingPlan

_RELOAD_TOLERANCE = 1e-3
"Largest difference of a logit between the adapter in memory and read back; both are float32 on the same base."


def save(plan: TrainingPlan, model: Any, encoder: Encoder, measured: dict[str, float]) -> AdapterFolder:
    """Make the adapter's folder under a temporary name, the manifest last, and rename it whole."""
    prompt_template = template_of(model_folder(plan.base), plan.recipe.template)
    adapters = Path(plan.adapters_folder)
    made = adapters / f".unfinished-{Path(plan.run_folder).name}"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    model.save_pretrained(str(made))
    (made / "README.md").unlink(missing_ok=True)
    _settle_config(made / "adapter_config.json", plan)
    write_json_atomic(made / "plan.json", to_values(plan))
    measured["reload_difference"] = check_reload(plan, model, encoder, made)
    folder = model_folder(plan.base)
    files, base_hash = file_hashes(made), weights_hash(folder)
    name = adapter_id(files, base_hash, prompt_template.digest, plan.snapshot_hash)
    for file in made.iterdir():
        write_atomic(file, file.read_bytes())  # peft does not flush
    write_manifest(
        made,
        AdapterManifest(
            adapter_id=name,
            base_name=plan.base.name,
            base_revision=plan.base.revision,
            base_hash=base_hash,
            tokenizer_hash=encoder.digest,
            template=prompt_template.name,
            template_digest=prompt_template.digest,
            snapshot_id=plan.snapshot_id,
            snapshot_hash=plan.snapshot_hash,
            seed=plan.seed,
            plan=to_values(plan),
            measured=measured,
            versions=library_versions(),
            files=files,
            created_at=plan.created_at,
            parent=plan.parent,
            depth=plan.depth,
        ),
    )
    return _publish(made, adapters / name)


def _settle_config(path: Path, plan: TrainingPlan) -> None:
    """Same training, same bytes: peft writes a set in random order and the base's path on this machine."""
    config = json.loads(path.read_text("utf-8"))
    config["target_modules"] = sorted(config["target_modules"])
    config["base_model_name_or_path"] = plan.base.name
    write_json_atomic(path, config)


def check_reload(plan: TrainingPlan, model: Any, encoder: Encoder, folder: Path) -> float:
    """Largest difference of a probe logit between memory and disk; refuses a large one, and logits like the base's."""
    loaded = LoadedBase.around(plan.base, model, encoder, {"default"})
    loaded.add_adapter("reloaded", folder)
    prompt_template = template_of(model_folder(plan.base), plan.recipe.template)
    bare, memory, disk = (
        loaded.answerer(prompt_template, name).logits_fingerprint() for name in (None, "default", "reloaded")
    )
    if memory == bare:
        raise TrainingError("training.no_effect")
    differences = [abs(one - other) for one, other in zip(memory, disk, strict=True)]
    difference = max(differences) if all(map(math.isfinite, differences)) else math.inf
    if difference > _RELOAD_TOLERANCE:
        raise TrainingError("training.reload_differs", difference=difference, limit=_RELOAD_TOLERANCE)
    return difference


def _publish(made: Path, final: Path) -> AdapterFolder:
    """Rename the folder into place; an equal adapter that is there already stays."""
    if final.exists():
        try:
            read_manifest(final)
        except IntegrityError:
            shutil.rmtree(final)
        else:
            shutil.rmtree(made)
            return AdapterFolder(final.name, final)
    made.rename(final)
    sync_folder(final.parent)
    return AdapterFolder(final.name, final)
