"""Heavy: a GGUF file becomes a base's folder with bfloat16 weights. `python -m bonsai.model.gguf JOB.json`.

transformers reads the file and unpacks its weights, but refuses to save such a model, so the weights are copied into a
fresh one of the same configuration. bfloat16 rounds by far less than a quantised file has lost already. Format:
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bonsai.errors import InputError
from bonsai.system.json_values import from_values
from bonsai.system.processes import Emit, serve


@dataclass(frozen=True, slots=True)
class ConversionJob:
    """What to convert."""

    file: str
    folder: str
    "Where the base's files appear."


def work(job_file: Path, emit: Emit) -> Mapping[str, Any]:
    """Convert; the result is empty. Raises InputError for a family or file that transformers cannot read."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging

    job = from_values(ConversionJob, json.loads(job_file.read_text("utf-8")))
    file, folder = Path(job.file), Path(job.folder)
    logging.disable_progress_bar()
    emit({"type": "progress", "done": 0, "total": 3})
    try:
        unpacked = GgufConfig(gguf_file=file.name, dequantize=True)
        read = AutoModelForCausalLM.from_pretrained(
            file.parent, gguf_file=file.name, quantization_config=unpacked, dtype=torch.bfloat16
        )
        emit({"type": "progress", "done": 1, "total": 3})
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    except (ValueError, KeyError, IndexError, OSError, RuntimeError, NotImplementedError, TypeError) as error:
        raise InputError("bases.gguf_unreadable", file=file, reason=_first_line(error)) from error
    emit({"type": "progress", "done": 2, "total": 3})
    config = read.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    fresh = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    fresh.load_state_dict(read.state_dict())
    fresh.generation_config.eos_token_id = fresh.generation_config.eos_token_id or tokenizer.eos_token_id
    fresh.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    emit({"type": "progress", "done": 3, "total": 3})
    return {}


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def main() -> int:
    """Run the worker."""
    return serve(work)


if __name__ == "__main__":
    sys.exit(main())
