"""Base models: weights, quantisation, and the choice of a profile for this machine.

`Base` is a plain value, read from `[profiles.<name>.base]` of `defaults.toml`. `choose_profile("auto", ...)` picks
by device and free memory: without a GPU the seedling, on a small GPU Phi-2 in NF4, on a larger one Phi-2 in bfloat16.

NF4 and the adapters on it: QLoRA, https://arxiv.org/abs/2305.14314. Phi-2: https://huggingface.co/microsoft/phi-2
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Collection
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from bonsai.errors import ConfigError, TrainingError
from bonsai.system.files import sha256_file, sha256_json

SEEDLING: Final = "seedling"
PHI_MODULES = ("q_proj", "k_proj", "v_proj", "dense", "fc1", "fc2")
"Every linear map of a Phi block; an adapter that misses one learns less, and peft does not say so."
FILES = ("*.json", "*.safetensors", "chat_template.jinja")
"Files of a hub repository that a base needs; the rest is the same weights in other formats, and a page about them."


@dataclass(frozen=True, slots=True)
class Base:
    """One base model, ready to be loaded."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}
    "Read straight from the configuration: an unknown key there is an error."

    name: str
    "Name in manifests; adapters of one name share their base."
    model: str
    "`seedling` (the weights in this package), a folder, or a hub id."
    revision: str
    "Commit of a hub id; empty for a folder."
    quantisation: Literal["nf4", "none"]
    double_quantisation: bool
    "Quantise the quantisation constants too: 0.4 bits a parameter less."
    compute_dtype: Literal["float32", "bfloat16"]
    "In which type the dequantised weights are multiplied. float32 on CPUs: the same numbers on every one."
    max_tokens: int
    "Longest example, prompt and completion together, in tokens; longer ones are refused, never cut."
    answer_tokens_en: int
    "Longest completion in English, declared tags included, in tokens."
    answer_tokens_ja: int
    "Longest completion in any other language: Japanese costs more tokens a character."
    generation_batch: int
    "Questions answered at once."


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Sizes that memory depends on; 0 where a configuration does not name them."""

    layers: int = 0
    hidden: int = 0
    intermediate: int = 0
    vocabulary: int = 0
    context: int = 0
    "Most tokens of a text; 0 where there is no limit."


@dataclass(frozen=True, slots=True)
class Device:
    """Where models run on this machine."""

    kind: Literal["cpu", "cuda"]
    free_gib: float
    "Free memory of the first GPU in GiB; 0 without one."
    gpus: tuple[str, ...] = ()
    "Unique ids of the GPUs that torch will see, in its order."
    bfloat16: bool = False
    "A CPU that multiplies matrices of bfloat16 in hardware (AMX); for GPUs it is not asked."


def find_device() -> Device:
    """Ask the NVIDIA driver, without loading torch; without an answering driver, or with a torch that was built for
    CPUs, this is a CPU machine."""
    gpu = _find_gpu()
    return gpu if gpu.kind == "cuda" else replace(gpu, bfloat16="amx_bf16" in cpu_features())


def cpu_features(file: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Instruction sets of this CPU, as Linux names them; empty on other systems and processors."""
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    return next((frozenset(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), frozenset())


def _find_gpu() -> Device:
    tool = shutil.which("nvidia-smi")
    if tool is None or metadata.version("torch").endswith("+cpu"):
        return Device("cpu", 0.0)
    query = [tool, "--query-gpu=index,uuid,memory.free", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True).stdout
        return read_gpus(answer, os.environ.get("CUDA_VISIBLE_DEVICES"))
    except (OSError, subprocess.SubprocessError, ValueError):
        return Device("cpu", 0.0)


def read_gpus(answer: str, visible: str | None) -> Device:
    """The device of `nvidia-smi`'s lines "0, GPU-5f3a..., 81079", as far as CUDA_VISIBLE_DEVICES lets torch see it."""
    listed = [tuple(field.strip() for field in line.split(",")) for line in answer.splitlines() if line.strip()]
    if visible is not None and "MIG-" not in visible:  # for a part of a GPU, nvidia-smi names the whole
        visible_names = [name.strip() for name in visible.split(",") if name.strip()]
        listed = [gpu for name in visible_names for gpu in listed if gpu[0] == name or gpu[1].startswith(name)]
    if not listed:
        return Device("cpu", 0.0)
    return Device("cuda", int(listed[0][2]) / 1024, tuple(uuid for _, uuid, _ in listed))


def choose_profile(profile: str, known: Collection[str], device: Device) -> str:
    """The profile's name: `profile` itself, or what `auto` means on this device.

    Raises ConfigError for a name that no profile has.
    """
    if profile == "auto":
        if device.kind == "cpu" or device.free_gib < 6:  # Phi-2 in NF4 trains in about 5 GiB (checkpointed, batch 1)
            profile = "seedling"
        else:
            profile = "phi2-lora" if device.free_gib >= 24 else "phi2-qlora"
    if profile not in known:
        raise ConfigError("model.profile_unknown", name=profile, known=", ".join(sorted(known)))
    return profile


def model_folder(base: Base) -> Path:
    """The folder with the base's weights and tokenizer. Reads the disk only, so it works offline.

    Raises ConfigError, with the command that downloads it, when a hub id is not in the cache, or not all of it.
    """
    if base.model == SEEDLING:
        from bonsai.model.seedling import weights_folder

        return weights_folder()
    if Path(base.model).is_dir():
        return _whole(Path(base.model), base)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, IncompleteSnapshotError, LocalEntryNotFoundError

    try:
        found = snapshot_download(
            base.model, revision=base.revision or None, allow_patterns=list(FILES), local_files_only=True
        )
    except HFValidationError:  # no hub id either, so a folder was meant
        raise ConfigError("model.no_folder", model=base.model) from None
    except (LocalEntryNotFoundError, IncompleteSnapshotError):
        raise ConfigError("model.base_missing", model=base.model, command=download_command(base)) from None
    return _whole(Path(found), base)


def _whole(folder: Path, base: Base) -> Path:
    """The folder, if it is complete: an interrupted download leaves a part."""
    index = folder / "model.safetensors.index.json"
    shards = set(json.loads(index.read_text("utf-8"))["weight_map"].values()) if index.is_file() else set()
    required = ("config.json", "tokenizer.json", *sorted(shards or {"model.safetensors"}))
    missing = [name for name in required if not (folder / name).is_file()]
    if not missing:
        return folder
    files = ", ".join(missing)
    if "/" in base.model and not Path(base.model).is_dir():
        raise ConfigError("model.base_incomplete", model=base.model, files=files, command=download_command(base))
    raise ConfigError("model.folder_incomplete", folder=folder, files=files)


def base_values(file: Path) -> dict[str, Any]:
    """The object in a JSON file of a base; empty without the file. Raises TrainingError for anything else."""
    found = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    if not isinstance(found, dict):
        raise TrainingError("model.not_an_object", file=file)
    return found


def download_command(base: Base) -> str:
    """The command that downloads a base from the hub: the pinned commit, without weights in other formats."""
    revision = f" --revision {base.revision}" if base.revision else ""
    return f"hf download {base.model}{revision}" + "".join(f" --include '{pattern}'" for pattern in FILES)


def weights_hash(folder: Path) -> str:
    """SHA-256 over a base's configuration and weight files, names included."""
    files = sorted((*folder.glob("*.safetensors"), folder / "config.json"))
    return sha256_json({file.name: sha256_file(file) for file in files})
