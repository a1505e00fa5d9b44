"""Opens a finished adapter, verified against its manifest, base and template; checks warm starts (`unfit`).

    loaded = load(base, "cpu")
    bare, champion = open_answerer(loaded, None, "tagged"), open_answerer(loaded, adapters / "3f2a...")

Light until it is called: torch is loaded with `bonsai.model.hf` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonsai.errors import IntegrityError
from bonsai.model.answerer import Answerer
from bonsai.model.bases import Base, model_folder, weights_hash
from bonsai.model.native import template_of
from bonsai.model.prompt import CURRENT
from bonsai.train.manifest import AdapterManifest, read_manifest
from bonsai.train.plan import Recipe

if TYPE_CHECKING:
    from bonsai.model.hf import LoadedBase


def load(base: Base, device: str) -> LoadedBase:
    """A base in memory, ready for any number of adapters."""
    from bonsai.model.hf import load_base

    return load_base(base, device)


def open_answerer(loaded: LoadedBase, adapter: Path | None, template_name: str = CURRENT.name) -> Answerer:
    """The bare base under a template, or one adapter under the template of its manifest.

    Raises IntegrityError when the adapter was altered or belongs to another base or tokenizer, TrainingError when
    its template is unknown or altered.
    """
    if adapter is None:
        return loaded.answerer(template_of(model_folder(loaded.base), template_name))
    manifest = read_manifest(adapter)
    check_base(manifest, loaded.base, loaded.encoder.digest)
    loaded.add_adapter(manifest.adapter_id, adapter)
    form = template_of(model_folder(loaded.base), manifest.template, manifest.template_digest)
    return loaded.answerer(form, manifest.adapter_id)


def check_base(manifest: AdapterManifest, base: Base, tokenizer_hash: str) -> None:
    """Refuse to hang an adapter on weights or a tokenizer that it was not trained with."""
    found = weights_hash(model_folder(base))
    if (manifest.base_hash, manifest.tokenizer_hash) != (found, tokenizer_hash):
        raise IntegrityError(
            "training.other_base", adapter=manifest.adapter_id, trained_on=manifest.base_name, base=base.name
        )


def on_base(manifest: Mapping[str, Any], base: Base, base_hash: str) -> bool:
    """Whether an adapter was trained on this base: it can answer and be compared on no other."""
    found = manifest["base_name"], manifest["base_revision"], manifest["base_hash"]
    return found == (base.name, base.revision, base_hash)


def unfit(manifest: Mapping[str, Any], base: Base, recipe: Recipe) -> str:
    """Why an adapter's weights cannot be where this base and recipe start: `other_base`, `other_template`,
    `other_shape`, or empty. `manifest` holds the fields of `AdapterManifest`."""
    if not on_base(manifest, base, weights_hash(model_folder(base))):
        return "other_base"
    if manifest["template_digest"] != template_of(model_folder(base), recipe.template).digest:
        return "other_template"
    learned = manifest["plan"].get("recipe", {})
    shape = (recipe.lora_rank, recipe.lora_alpha, sorted(recipe.target_modules))
    found = (learned.get("lora_rank"), learned.get("lora_alpha"), sorted(learned.get("target_modules", ())))
    return "" if shape == found else "other_shape"
