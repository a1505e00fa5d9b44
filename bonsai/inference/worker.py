"""The inference worker: loads a base once and keeps its adapters. Loads torch at the first request.

python -m bonsai.inference.worker JOB     # answers the request in a file and ends
python -m bonsai.inference.worker         # answers requests from its standard input until that closes
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonsai.inference.client import InferenceRequest, ModelRef
from bonsai.model.answerer import Answerer
from bonsai.model.prompt import parse
from bonsai.system.json_values import from_values
from bonsai.system.processes import Emit, serve, serve_requests
from bonsai.train.manifest import read_manifest

if TYPE_CHECKING:
    from bonsai.model.hf import LoadedBase


@dataclass(slots=True)
class LoadedModels:
    """One base in memory; every requested model must have that base."""

    loaded: LoadedBase | None = None
    answerers: dict[tuple[str, str], Answerer] = field(default_factory=dict)
    "By adapter folder and template."

    def answer(self, request: InferenceRequest) -> Mapping[str, Any]:
        """The answers, as JSON values. Raises IntegrityError for an altered adapter or one of another base."""
        made = self._answerer(request.model).answers(request.questions, request.forced)
        parsed = [parse(one.text) for one in made]
        return {
            "answers": [
                {"response": said.response, "tags": asdict(said.tags), "ended": one.ended}
                for said, one in zip(parsed, made, strict=True)
            ]
        }

    def _answerer(self, model: ModelRef) -> Answerer:
        from bonsai.train.adapters import load, open_answerer

        known = (model.folder, model.template)
        if known not in self.answerers:
            folder = Path(model.folder) if model.folder else None
            if folder:
                read_manifest(folder)  # an altered adapter is refused before seconds go into loading its base
            self.loaded = self.loaded or load(model.base, model.device)
            self.answerers[known] = open_answerer(self.loaded, folder, model.template)
        return self.answerers[known]


def answer_job(job: Path, emit: Emit) -> Mapping[str, Any]:
    """The answers to the request in a file, as JSON values."""
    return LoadedModels().answer(from_values(InferenceRequest, json.loads(job.read_text("utf-8"))))


def main() -> int:
    """One request from a file, or many from the standard input."""
    if len(sys.argv) > 1:
        return serve(answer_job)
    models = LoadedModels()
    return serve_requests(lambda request: models.answer(from_values(InferenceRequest, request)))


if __name__ == "__main__":
    sys.exit(main())
