"""Makes a GGUF file of whole weights with llama.cpp's own converter, and the Modelfile for Ollama. Light.

https://github.com/ggml-org/llama.cpp (`convert_hf_to_gguf.py`); https://docs.ollama.com/modelfile
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bonsai.errors import InputError, UsageError

CONVERTER, VARIABLE = "convert_hf_to_gguf.py", "BONSAI_CONVERT_GGUF"
GGUF_FILE, MODELFILE = "model.gguf", "Modelfile"
_TYPES = {"float32": "f32", "bfloat16": "bf16"}


def find_converter(environ: Mapping[str, str]) -> str:
    """Path of the converter: what BONSAI_CONVERT_GGUF names, else from PATH. Raises UsageError when there is none."""
    named = environ.get(VARIABLE, "").strip()
    found = str(Path(named).expanduser().absolute()) if named else shutil.which(CONVERTER, path=environ.get("PATH"))
    if named and not Path(str(found)).is_file():
        raise UsageError("export.no_such_converter", variable=VARIABLE, path=found)
    if not found:
        raise UsageError("export.no_converter", program=CONVERTER, variable=VARIABLE)
    return found


def convert(converter: str, weights: Path, dtype: str, target: Path) -> None:
    """Make `target` of a folder of safetensors. Raises InputError with the converter's last words when it fails.

    `dtype`: float32 or bfloat16; the file holds the same numbers.
    """
    program = [converter] if os.access(converter, os.X_OK) else [sys.executable, converter]
    command = [*program, str(weights), "--outtype", _TYPES[dtype], "--outfile", str(target)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if done.returncode != 0 or not target.is_file():
        said = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        raise InputError("export.converter_failed", program=converter, reason=said[-1])


def modelfile(template: str, stops: Sequence[str], budget: int, licence: str) -> str:
    """Text of a Modelfile for a merged model. Ollama takes no adapters in one since 0.34.1. `budget`: tokens."""
    stopping = (f"PARAMETER stop {_quoted(one)}" for one in stops)
    lines = (
        f"FROM ./{GGUF_FILE}", f"TEMPLATE {_quoted(template)}", *stopping, f"PARAMETER num_predict {budget}",
        "PARAMETER temperature 0", f"LICENSE {_quoted(licence)}",
    )  # fmt: skip
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Three quotation marks hold any text but themselves."""
    return f'"""{text}"""' if "\n" in text or '"' in text else f'"{text}"'
