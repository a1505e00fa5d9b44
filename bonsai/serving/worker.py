"""`python -m bonsai.serving.worker JOB`: loads one voice, answers its questions, ends. Heavy."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bonsai.model.prompt import parse
from bonsai.processes import Emit, serve
from bonsai.serving import read_asking
from bonsai.training.passport import read_passport


def answer(job: Path, emit: Emit) -> Mapping[str, Any]:
    """The answers of a job file, as JSON values."""
    from bonsai.training.adapters import load, open_answerer

    asking = read_asking(job)
    voice = asking.voice
    if voice.folder:
        read_passport(Path(voice.folder))  # an altered adapter is refused before seconds go into loading its base
    loaded = load(voice.base, voice.device)
    answerer = open_answerer(loaded, Path(voice.folder) if voice.folder else None, voice.template)
    made = answerer.answers(asking.questions, asking.forced)
    parsed = [parse(one.text) for one in made]
    return {
        "answers": [
            {"response": said.response, "tags": asdict(said.tags), "ended": one.ended}
            for said, one in zip(parsed, made, strict=True)
        ]
    }


if __name__ == "__main__":
    sys.exit(serve(answer))
