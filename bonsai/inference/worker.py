"""`python -m bonsai.inference.worker JOB`: loads one voice, answers its questions, ends. Heavy."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bonsai.inference.client import read_request
from bonsai.inference.loaded import LoadedModels
from bonsai.system.processes import Emit, serve


def answer(job: Path, emit: Emit) -> Mapping[str, Any]:
    """The answers of a job file, as JSON values."""
    return LoadedModels().answer(read_request(job))


if __name__ == "__main__":
    sys.exit(serve(answer))
