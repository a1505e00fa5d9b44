"""Worker process: a base answers the replay prompts. `python -m bonsai.evaluate.replay_worker JOB.json`.

Loads the model libraries. The file with the answers is written last, so a killed worker leaves none.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

from bonsai.evaluate.replay_maker import ReplayJob
from bonsai.evaluate.replay_rows import usable
from bonsai.evaluate.worker import paced
from bonsai.model.answerer import Answerer
from bonsai.model.bases import Base, model_folder
from bonsai.model.encoding import Encoder
from bonsai.model.native import template_of
from bonsai.model.prompt import Template
from bonsai.system.json_values import from_values
from bonsai.system.processes import Emit, serve
from bonsai.train import own_answers
from bonsai.train.own_answers import OwnAnswers, Prompt


def work(job_file: Path, emit: Emit) -> Mapping[str, Any]:
    """Answer all prompts; the result is empty, for the file holds everything."""
    from bonsai.train.adapters import load, open_answerer

    job = from_values(ReplayJob, json.loads(job_file.read_text("utf-8")))
    prompts = own_answers.prompts()
    progress = paced(emit, 0, 1, steps=len(prompts))
    progress(0, len(prompts))
    loaded = load(shortened(job.base), job.device)
    fits = fitting(prompts, job.base, loaded.encoder, template_of(model_folder(job.base), job.template))
    answerer = open_answerer(loaded, None, job.template)
    own_answers.write(Path(job.path), answered(answerer, job.base.name, prompts, fits, progress))
    return {}


def shortened(base: Base) -> Base:
    """The base with half the tokens for an answer. Long replayed rows would outweigh the owner's, and cost the most."""
    return replace(
        base, answer_tokens_en=ceil(base.answer_tokens_en / 2), answer_tokens_ja=ceil(base.answer_tokens_ja / 2)
    )


def fitting(prompts: Sequence[Prompt], base: Base, encoder: Encoder, form: Template) -> list[bool]:
    """Which prompts leave room for the longest answer; a longer row would be too long to train."""
    room = base.max_tokens - max(base.answer_tokens_en, base.answer_tokens_ja)
    return [len(encoder.question(form, prompt.question, prompt.tags)) <= room for prompt in prompts]


def answered(
    answerer: Answerer, base: str, prompts: Sequence[Prompt], fits: Sequence[bool], progress: Callable[[int, int], None]
) -> OwnAnswers:
    """What the base answers, greedily and with the tags declared for it; prompts that do not fit are not asked."""
    asked = [prompt for prompt, does in zip(prompts, fits, strict=True) if does]
    made = answerer.answers(
        [prompt.question for prompt in asked],
        [prompt.tags for prompt in asked],
        on_progress=lambda done: progress(done, len(asked)),
    )
    by_prompt = dict(zip(asked, made, strict=True))
    return usable(base, prompts, [by_prompt.get(prompt) for prompt in prompts])


def main() -> int:
    """Run the worker."""
    return serve(work)


if __name__ == "__main__":
    sys.exit(main())
