"""Heavy: writes an adapter in forms that other programs open: peft's files, or the base with the adapter merged in.

Both get the tokenizer, the prompt as a chat template and the generation configuration; neither names a path of this
machine. What a form says is certified elsewhere (`bonsai.evaluate.export_worker`).
"""

from __future__ import annotations

import gc
import json
import mmap
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedModel

from bonsai.errors import IntegrityError
from bonsai.model import quiet_libraries
from bonsai.model.architecture import context_length
from bonsai.model.bases import Base, base_values, model_folder
from bonsai.model.chat_template import chat_template
from bonsai.model.encoding import Encoder
from bonsai.model.hf import LoadedBase, load_model
from bonsai.model.prompt import Question, Template
from bonsai.system.files import write_json_atomic

ADAPTER_FILES = ("adapter_model.safetensors", "adapter_config.json")
_SPECIAL = ("bos_token", "eos_token", "unk_token", "pad_token")
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def answer_budget(base: Base) -> int:
    """Most new tokens of an exported form: it has one budget, where Bonsai has one for each language."""
    return max(base.answer_tokens_en, base.answer_tokens_ja)


def fitting(loaded: LoadedBase, form: Template, questions: Sequence[Question]) -> list[bool]:
    """Whether each question leaves room for its answer in the base's context."""
    room = context_length(loaded.model.config)
    most = room - answer_budget(loaded.base) if room else None
    return [most is None or len(loaded.encoder.question(form, one)) <= most for one in questions]


def write_peft(adapter: Path, base: Base, model_id: str, folder: Path) -> None:
    """The adapter's weights, and a configuration that names the base by its hub id and commit.

    `model_id` is empty for a base that lies only here: then its plain name stands there.
    """
    for name in ADAPTER_FILES:
        shutil.copyfile(adapter / name, folder / name)
    config = base_values(folder / ADAPTER_FILES[1])
    config["base_model_name_or_path"] = model_id or base.name
    config["revision"] = (base.revision or None) if model_id else None
    write_json_atomic(folder / ADAPTER_FILES[1], config)


def write_merged(adapter: Path, base: Base, folder: Path) -> None:
    """The base's weights as Bonsai answers with them, NF4 values unpacked, plus the adapter's; on the CPU.

    In the base's compute type: in a shorter one the answers would not stay the same. Raises IntegrityError when a
    merged weight is no number.
    """
    with quiet_libraries():
        from peft import PeftModel

        merged = PeftModel.from_pretrained(load_model(base, "cpu"), str(adapter)).merge_and_unload(safe_merge=True)
    plain = _plain(merged, base)
    if not all(bool(torch.isfinite(one).all()) for one in plain.state_dict().values() if one.is_floating_point()):
        raise IntegrityError("export.no_numbers", adapter=adapter.name)
    plain.save_pretrained(folder)


def _plain(merged: Any, base: Base) -> PreTrainedModel:
    """The same weights in a model that was never quantised: transformers does not save one that was."""
    if base.quantisation == "none":
        return merged
    config = merged.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    plain: PreTrainedModel = type(merged)._from_config(config, dtype=_DTYPES[base.compute_dtype])
    plain.load_state_dict(merged.state_dict())
    return plain


def write_prompt(base: Base, form: Template, encoder: Encoder, folder: Path) -> None:
    """Tokenizer, chat template and generation configuration."""
    source = model_folder(base)
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
    words = base_values(source / "tokenizer_config.json")
    named = {name: _content(words[name]) for name in _SPECIAL if words.get(name)}
    write_json_atomic(
        folder / "tokenizer_config.json",
        # this class reads tokenizer.json as it is; others build a tokenizer of their own from its vocabulary
        {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False, **named},
    )
    (folder / "chat_template.jinja").write_text(chat_template(form, encoder), "utf-8")
    ends = encoder.ends_of(form)
    greedy = GenerationConfig(
        do_sample=False, max_new_tokens=answer_budget(base), eos_token_id=list(ends), pad_token_id=ends[0]
    )
    greedy.save_pretrained(folder)


def _content(token: Any) -> str:
    return str(token["content"] if isinstance(token, Mapping) else token)


def use_threads(count: int) -> None:
    """Let torch use so many CPU threads; 0 leaves it to torch."""
    if count:
        torch.set_num_threads(count)


def free_device(device: str) -> None:
    """Give back what torch keeps of a GPU's memory: another process needs it now."""
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()


def paths_in(folder: Path, private: Sequence[str]) -> list[str]:
    """Names of the files, weights included, that hold one of these paths, as they are or as JSON writes them."""
    spelled = {form.encode() for one in private for form in (one, json.dumps(one)[1:-1])}
    files = sorted(file for file in folder.rglob("*") if file.is_file() and file.stat().st_size)
    return [file.name for file in files if _holds(file, spelled)]


def _holds(file: Path, spelled: Collection[bytes]) -> bool:
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(one) >= 0 for one in spelled)
