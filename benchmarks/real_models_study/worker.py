"""Worker process that asks: `python -m benchmarks.real_models_study.worker JOB.json`. Loads torch.

The base is loaded once; each model answers every question, then the references are scored. Only what was said comes
back: it is judged without torch.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bonsai.evaluate.questions import Item
from bonsai.evaluate.run import expected_tags
from bonsai.model.answerer import Generated, Scored
from bonsai.model.bases import Base
from bonsai.model.prompt import Question
from bonsai.system.files import write_json_atomic
from bonsai.system.json_values import from_values, to_values
from bonsai.system.processes import Emit, run_worker, serve

MODULE = "benchmarks.real_models_study.worker"


@dataclass(frozen=True, slots=True)
class Job:
    """Models and questions."""

    base: Base
    device: str
    template: str
    "Of the bare base; an adapter brings its own."
    adapters: Mapping[str, str]
    "Name -> folder; empty for the bare base."
    questions: tuple[Question, ...]
    scored: tuple[Item, ...]
    "Their references are scored by likelihood."


@dataclass(frozen=True, slots=True)
class Said:
    """What one model said."""

    answers: tuple[Generated, ...]
    bits: tuple[float, ...]
    "Bits per byte of the references of `scored`."


def ask(job: Job, file: Path) -> dict[str, Said]:
    """Run the worker on a job; its log lies beside the file. Raises its errors."""
    write_json_atomic(file, to_values(job))

    done = run_worker(MODULE, file, log=file.with_suffix(".log"), on_event=lambda event: None, nice=0)
    return {name: from_values(Said, said) for name, said in done.items()}


def work(file: Path, emit: Emit) -> Mapping[str, Any]:
    """Model name -> what it said."""
    from bonsai.train.adapters import load, open_answerer

    job = from_values(Job, json.loads(file.read_text("utf-8")))
    loaded = load(job.base, job.device)
    examples = [Scored(Question(one.instruction, one.input), expected_tags(one), one.reference) for one in job.scored]
    made = {}
    for name, folder in job.adapters.items():
        answerer = open_answerer(loaded, Path(folder) if folder else None, job.template)
        answers = answerer.answers(job.questions, [None] * len(job.questions))
        bits = [one.bits_per_byte for one in answerer.log_likelihoods(examples)]
        made[name] = asdict(Said(tuple(answers), tuple(bits)))
        emit({"type": "asked", "model": name})
    return made


def main() -> int:
    """Run the worker."""
    return serve(work)


if __name__ == "__main__":
    sys.exit(main())
