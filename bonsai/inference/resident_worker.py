"""`python -m bonsai.inference.resident_worker`: one base and its adapters answer until the parent lets go. Heavy."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from bonsai.inference.client import InferenceRequest
from bonsai.inference.loaded import LoadedModels
from bonsai.system.json_values import from_values
from bonsai.system.processes import serve_requests


def main() -> int:
    """Keeps what it loaded."""
    answering = LoadedModels()

    def handle(request: Mapping[str, Any]) -> Mapping[str, Any]:
        return answering.answer(from_values(InferenceRequest, request))

    return serve_requests(handle)


if __name__ == "__main__":
    sys.exit(main())
