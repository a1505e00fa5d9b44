"""What the workers of `serving` do: load a base once, hang adapters on it, answer. Heavy from the first one on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonsai.inference.client import InferenceRequest, ModelRef
from bonsai.model.answerer import Answerer
from bonsai.model.prompt import parse
from bonsai.train.manifest import read_manifest

if TYPE_CHECKING:
    from bonsai.model.hf import LoadedBase


@dataclass(slots=True)
class LoadedModels:
    """One base in memory; every voice that is asked must be of that base."""

    loaded: LoadedBase | None = None
    voices: dict[tuple[str, str], Answerer] = field(default_factory=dict)
    "By adapter folder and template."

    def answer(self, asking: InferenceRequest) -> Mapping[str, Any]:
        """The answers, as JSON values. Raises IntegrityError for an altered adapter or one of another base."""
        made = self._answerer(asking.voice).answers(asking.questions, asking.forced)
        parsed = [parse(one.text) for one in made]
        return {
            "answers": [
                {"response": said.response, "tags": asdict(said.tags), "ended": one.ended}
                for said, one in zip(parsed, made, strict=True)
            ]
        }

    def _answerer(self, voice: ModelRef) -> Answerer:
        from bonsai.train.adapters import load, open_answerer

        known = (voice.folder, voice.template)
        if known not in self.voices:
            folder = Path(voice.folder) if voice.folder else None
            if folder:
                read_manifest(folder)  # an altered adapter is refused before seconds go into loading its base
            self.loaded = self.loaded or load(voice.base, voice.device)
            self.voices[known] = open_answerer(self.loaded, folder, voice.template)
        return self.voices[known]
