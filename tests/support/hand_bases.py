"""A base that is no seedling, without a model: a folder with invented weights, and answers made by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from bonsai.errors import InputError, WorkerDied
from bonsai.evaluate.replay_maker import ReplayJob
from bonsai.evaluate.replay_worker import answered
from bonsai.model.answerer import Generated, Likelihood, OnProgress, Scored, ignore_progress
from bonsai.model.base_sources import BaseSource, HubDescription
from bonsai.model.home_bases import CheckFinding
from bonsai.model.prompt import CURRENT, AnswerTags, Question, completion
from bonsai.model.seedling import weights_folder
from bonsai.train import own_answers
from bonsai.train.base_check import BaseCheckJob

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FIELDS = {
    "general.architecture": "llama", "general.license": "Apache-2.0", "general.languages": ["en"],
    "llama.block_count": 30, "llama.embedding_length": 576, "llama.feed_forward_length": 1536,
    "llama.context_length": 8192, "tokenizer.ggml.tokens": ["a", "b"],
}  # fmt: skip
"Of a GGUF file made by hand."
SETTINGS = """
[training]
profile = "phi2-qlora"

[profiles.phi2-qlora.base]
name = "hand-made"
model = "{folder}"
revision = ""

[profiles.phi2-qlora.recipe]
template = "tagged"
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


PASSED = (
    CheckFinding("tokenizer", True, "bases.found_tokens", {"en": 0.24, "ja": 1.69}),
    CheckFinding("template", None, "bases.found_bare_form", {"form": "Question: …"}),
)
FAILED = (*PASSED, CheckFinding("training", False, "training.no_effect", {}))


@dataclass
class HandChecker:
    """A `BaseChecker` that loads nothing; dies in the middle while `dies` is set."""

    findings: tuple[CheckFinding, ...] = PASSED
    dies: bool = False
    jobs: list[BaseCheckJob] = field(default_factory=list)

    def convert(self, source: BaseSource, folder: Path, log: Path, on_progress: Callable[[int, int], None]) -> None:
        shutil.copytree(weights_folder(), folder)
        on_progress(3, 3)

    def check(self, job: BaseCheckJob, on_progress: Callable[[int, int], None]) -> tuple[CheckFinding, ...]:
        self.jobs.append(job)
        if self.dies:
            raise WorkerDied("processes.killed", module="by hand", signal="SIGKILL", log="-")
        on_progress(3, 3)
        return self.findings


@dataclass
class HandHub:
    """A `Hub` with one model, a copy of the seedling; without it, a hub that cannot be reached."""

    folder: Path | None = None
    config: dict[str, object] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def describe(self, model: str, revision: str) -> HubDescription:
        self.asked.append(f"{model}@{revision}")
        if self.folder is None:
            raise InputError("bases.offline", model=model)
        files = {file.name: file.stat().st_size for file in self.folder.iterdir()}
        return HubDescription(COMMIT, "apache-2.0", ("en", "ja"), 2_961_024, files, self.config)

    def download(self, model: str, commit: str) -> Path:
        assert self.folder is not None
        return self.folder


def hand_gguf(kinds: Sequence[str] = ("Q4_1",), breaks: bool = False) -> ModuleType:
    """The package `gguf`, as far as it is asked; of these tensor kinds, those that begin with X cannot be unpacked."""
    import numpy

    class Reader:
        def __init__(self, path: Path) -> None:
            if breaks:
                raise ValueError("cannot reshape array of size 399424 into shape (576,960)")
            self.fields = {name: Field(value) for name, value in FIELDS.items()}
            self.tensors = [Tensor(kind) for kind in kinds]

    @dataclass
    class Field:
        value: object

        def contents(self) -> object:
            return self.value

    class Tensor:
        n_elements = 1_000_000
        data = numpy.zeros((4, 8), numpy.uint8)

        def __init__(self, kind: str) -> None:
            self.tensor_type = Kind(kind)

    @dataclass(frozen=True)
    class Kind:
        name: str

    def dequantize(data: object, kind: Kind) -> object:
        if kind.name.startswith("X"):
            raise NotImplementedError(kind.name)
        return data

    made = ModuleType("gguf")
    made.GGUFReader, made.dequantize = Reader, dequantize  # type: ignore[attr-defined]
    return made
