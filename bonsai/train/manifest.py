"""The adapter manifest: provenance of an adapter, and the hashes of its files.

`passport.json` is written last; a folder without one is no adapter. The id is a hash over weights, base, template and
snapshot, so training the same plan again gives the same id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar

from bonsai.errors import IntegrityError
from bonsai.system.files import sha256_file, sha256_json, write_json_atomic
from bonsai.system.json_values import from_values, to_values

MANIFEST_FILE = "passport.json"
FORMAT = 1
"Version of the manifest's fields."
_LIBRARIES = ("torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate", "datasets", "tokenizers")


@dataclass(frozen=True, slots=True)
class AdapterManifest:
    """The manifest of one adapter."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    adapter_id: str
    base_name: str
    base_revision: str
    base_hash: str
    "SHA-256 over the base's configuration and weight files."
    tokenizer_hash: str
    template: str
    template_digest: str
    snapshot_id: str
    snapshot_hash: str
    seed: int
    plan: Mapping[str, Any]
    "The resolved training plan."
    measured: Mapping[str, int | float]
    "Last loss, seconds, tokens a second, largest difference after reloading ..."
    versions: Mapping[str, str]
    "Libraries that trained it."
    files: Mapping[str, str]
    "SHA-256 of every other file of the folder, by name."
    created_at: str
    "ISO 8601, UTC."
    format: int = FORMAT
    parent: str = ""
    "The adapter of a warm start; empty for a cold start."
    depth: int = 0
    "Warm starts since its cold ancestor."


def library_versions() -> dict[str, str]:
    """Installed versions of the libraries that decide what a model computes."""
    return {name: metadata.version(name) for name in _LIBRARIES}


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file but the manifest, by relative name."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != MANIFEST_FILE)
    return {str(file.relative_to(folder)): sha256_file(file) for file in files}


def adapter_id(files: Mapping[str, str], base_hash: str, template_digest: str, snapshot_hash: str) -> str:
    """16 hex digits that name an adapter by its content."""
    weights = {name: digest for name, digest in files.items() if name.startswith("adapter_")}
    return sha256_json([weights, base_hash, template_digest, snapshot_hash])[:16]


def write_manifest(folder: Path, manifest: AdapterManifest) -> None:
    """Write the manifest; the last thing that happens to an adapter folder."""
    write_json_atomic(folder / MANIFEST_FILE, to_values(manifest))


def read_manifest(folder: Path) -> AdapterManifest:
    """The manifest of a folder, after all its hashes are verified.

    Raises IntegrityError for a folder that is unfinished, altered, or of another version.
    """
    try:
        values = json.loads((folder / MANIFEST_FILE).read_text("utf-8"))
        found = values["format"]
        if found != FORMAT:
            raise IntegrityError("training.manifest_format", folder=folder, found=found, known=FORMAT)
        manifest = from_values(AdapterManifest, values)
    except FileNotFoundError:
        raise IntegrityError("training.adapter_unfinished", folder=folder) from None
    except (ValueError, TypeError, KeyError):
        raise IntegrityError("training.adapter_altered", folder=folder, file=MANIFEST_FILE) from None
    _verify(folder, manifest)
    return manifest


def _verify(folder: Path, manifest: AdapterManifest) -> None:
    found = file_hashes(folder)
    for name in sorted({*found, *manifest.files}):
        if found.get(name) != manifest.files.get(name):
            raise IntegrityError("training.adapter_altered", folder=folder, file=name)
    named = adapter_id(found, manifest.base_hash, manifest.template_digest, manifest.snapshot_hash)
    if named != manifest.adapter_id:
        raise IntegrityError("training.adapter_altered", folder=folder, file=MANIFEST_FILE)
