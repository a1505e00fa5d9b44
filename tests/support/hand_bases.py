"""A base that is no seedling, without a model: a folder with invented weights, and answers made by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bonsai.errors import WorkerDied
from bonsai.evaluate.replay_maker import ReplayJob
from bonsai.evaluate.replay_worker import answered
from bonsai.model.answerer import Generated, Likelihood, OnProgress, Scored, ignore_progress
from bonsai.model.prompt import CURRENT, AnswerTags, Question, completion
from bonsai.model.seedling import weights_folder
from bonsai.train import own_answers

SETTINGS = """
[training]
profile = "phi2-qlora"

[profiles.phi2-qlora.base]
name = "hand-made"
model = "{folder}"
revision = ""
"""


def make_base(folder: Path, weights: str = "weights") -> Path:
    """A base's folder: the seedling's tokenizer and weights that are no weights."""
    folder.mkdir()
    shutil.copy(weights_folder() / "tokenizer.json", folder)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_text(weights)
    return folder


def usable_answer(question: Question, tags: AnswerTags) -> Generated:
    """A plain answer that no other prompt gets."""
    number = sum(map(ord, question.instruction + question.context))
    english, japanese = f"That is told in story {number} of the book.", f"それは話{number}のとおりです。"
    said = japanese if tags.language == "ja" else english
    return Generated(completion(CURRENT, tags, said), ended=True, tokens=9)


def endless_answer(question: Question, tags: AnswerTags) -> Generated:
    return Generated(completion(CURRENT, tags, "And then"), ended=False, tokens=9)


@dataclass
class HandSpeaker:
    """An `Answerer` that says what `says` makes of a question."""

    says: Callable[[Question, AnswerTags], Generated] = usable_answer
    asked: list[Question] = field(default_factory=list)

    def answers(
        self,
        questions: Sequence[Question],
        forced: Sequence[AnswerTags | None],
        max_new_tokens: int | None = None,
        on_progress: OnProgress = ignore_progress,
    ) -> list[Generated]:
        made = []
        for question, tags in zip(questions, forced, strict=True):
            assert tags is not None
            self.asked.append(question)
            made.append(self.says(question, tags))
            on_progress(len(made))
        return made

    def log_likelihoods(
        self, examples: Sequence[Scored], on_progress: OnProgress = ignore_progress
    ) -> list[Likelihood]:
        raise NotImplementedError

    def logits_fingerprint(self) -> tuple[float, ...]:
        raise NotImplementedError


@dataclass
class HandReplayMaker:
    """A `ReplayMaker` in this process; dies in the middle while `dies` is set."""

    speaker: HandSpeaker = field(default_factory=HandSpeaker)
    dies: bool = False
    made: list[str] = field(default_factory=list)
    "Files that were asked for."
    before: Callable[[int], None] = lambda done: None
    "Called before each progress is told."

    def make(self, job: ReplayJob, on_progress: Callable[[int, int], None]) -> None:
        self.made.append(job.path)
        prompts = own_answers.prompts()

        def progress(done: int, of: int) -> None:
            if self.dies and done > of // 2:
                raise WorkerDied("processes.killed", module="by hand", signal="SIGKILL", log="-")
            self.before(done)
            on_progress(done, of)

        found = answered(self.speaker, job.base.name, prompts, [True] * len(prompts), progress)
        own_answers.write(Path(job.path), found)
